import type { CertificateAuthority } from "../http/certificates.ts";
import { authenticate, authorize, notAuthorized, tokenAnswer } from "./auth.ts";
import { getBlob, headBlob } from "./content/blobs.ts";
import { badReference, getManifest, listTags, putManifest, referrers } from "./content/manifests.ts";
import { Registry, type Repository } from "./content/repositories.ts";
import { Sessions } from "./content/sessions.ts";
import { FakeStorage } from "./content/storage.ts";
import { continueUpload, startUpload } from "./content/uploads.ts";
import { type FaultPlan, flaky, seeded } from "./http/faults.ts";
import { Origin } from "./http/origin.ts";
import { type Answer, type Exchange, type LogEntry, problem, type Reply, type Service } from "./http/wire.ts";
import { Limits } from "./limits.ts";
import { type EcrAction, privateQuirks, publicQuirks, type Quirks } from "./quirks.ts";
import { type Route, routeOf } from "./routes.ts";
import type { EcrState, Place } from "./state.ts";
import { Tokens } from "./tokens.ts";

export interface FakeEcrOptions {
  /** Default `private`. `public`: ECR Public, with its token server at `/token/`. */
  readonly mode?: "private" | "public";
  readonly quirks?: Partial<Quirks>;
  /** Absent: plain http, also to the storage. */
  readonly certificates?: CertificateAuthority;
  /** Milliseconds since 1970, for everything that expires or is counted by the second. */
  readonly now?: () => number;
  /** Decides what stays of dropped bodies. Default 1. */
  readonly seed?: number;
}

/** Account and region where the host does not tell: 127.0.0.1 and public.ecr.aws. */
export const ACCOUNT = "123456789012";
export const REGION = "eu-west-1";

/**
 * Amazon ECR as far as clients can tell, on 127.0.0.1: the distribution protocol with its own upload sessions, and the storage that blobs
 * are redirected to. Any `<account>.dkr.ecr.<region>.amazonaws.com` is a registry of its own. What it does differently is in {@link quirks};
 * {@link fault} makes it fail; {@link log} and `storageOrigin.log` tell what came. `ecrWorld()` in ecr/world.ts puts it behind real names.
 */
export class FakeEcr implements Service {
  readonly quirks: Quirks;
  readonly tokens: Tokens;
  readonly storage: FakeStorage;
  readonly storageOrigin: Origin;
  readonly sessions = new Sessions();
  readonly limits: Limits;
  /** Actions refused for lack of permission. */
  readonly denied = new Set<EcrAction>();
  /** Asked for every request; what it leaves alone meets Q22. */
  fault: FaultPlan = () => undefined;
  /** How clients reach the storage; set before the first request when it has a name. */
  storageUrl = "";
  /** The host of Q13 `other-host`: it takes uploads without credentials, and 400 with. */
  uploadHost = "uploads.example.net";
  readonly origin: Origin;
  readonly #mode: "private" | "public";
  readonly #registries = new Map<string, Registry>();
  readonly #state: EcrState;

  constructor({ mode = "private", quirks, certificates, now = Date.now, seed = 1 }: FakeEcrOptions = {}) {
    this.#mode = mode;
    this.quirks = { ...(mode === "public" ? publicQuirks() : privateQuirks()), ...quirks };
    this.tokens = new Tokens(this.quirks, now);
    this.limits = new Limits(now);
    this.storage = new FakeStorage(now);
    this.storageOrigin = new Origin(this.storage, { certificates });
    this.origin = new Origin(this, { certificates });
    const chance = byChance(this.quirks);
    this.origin.fault = (request) => this.fault(request) ?? chance(request);
    const { tokens, storage, denied } = this;
    this.#state = {
      mode,
      quirks: this.quirks,
      tokens,
      denied,
      storage,
      storageOrigin: () => this.storageUrl,
      uploadHost: () => this.uploadHost,
      random: seeded(seed),
    };
  }

  /** Every request, in the order in which they came. */
  get log(): readonly LogEntry[] {
    return this.origin.log;
  }

  /** Listens; `http(s)://127.0.0.1:<port>`. */
  async start(): Promise<string> {
    this.storageUrl = await this.storageOrigin.start();
    return this.origin.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.origin.stop(), this.storageOrigin.stop()]);
  }

  registry(account = ACCOUNT, region = REGION): Registry {
    const name = `${account}/${region}`;
    const registry = this.#registries.get(name) ?? new Registry(account, region);
    this.#registries.set(name, registry);
    return registry;
  }

  /** A repository of the default registry, made if it is missing. */
  repository(name: string): Repository {
    return this.registry().create(name);
  }

  /** A new `Authorization` header for the registries of a region, as GetAuthorizationToken gives it. */
  login(region = REGION): string {
    return `Basic ${Buffer.from(`AWS:${this.tokens.issue(region)}`).toString("base64")}`;
  }

  kindOf(method: string, { pathname }: URL): string {
    return routeOf(method, pathname).kind;
  }

  async answer(exchange: Exchange): Promise<Answer> {
    const answer = await this.#answer(exchange);
    if (answer === "hang-up") return answer;
    // Q26.
    return { ...answer, headers: { "docker-distribution-api-version": "registry/2.0", ...answer.headers } };
  }

  async #answer(exchange: Exchange): Promise<Answer> {
    const route = routeOf(exchange.method, exchange.url.pathname);
    const registry = this.#registryOf(exchange.url.hostname);
    if (exchange.url.host === this.uploadHost) return this.#elsewhere(exchange, registry, route);
    const refusal =
      authenticate(this.#state, exchange, registry.region) ?? this.limits.throttled(this.#state, exchange);
    if (refusal) return refusal;
    if (route.kind === "ping")
      return { status: 200, headers: { "content-type": "application/json" }, body: "{}" };
    if (route.kind === "token" && this.#mode === "public") return tokenAnswer(this.#state, exchange);
    if (route.kind === "start-upload") return this.#start(exchange, registry, route);
    return (
      authorize(this.#state, exchange, registry.arn(route.name)) ?? this.#within(exchange, registry, route)
    );
  }

  #registryOf(host: string): Registry {
    const [, account, region] = /^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\./.exec(host) ?? [];
    return this.registry(account, region);
  }

  /** Q13 `other-host`: the session's URL is the credential. */
  #elsewhere(exchange: Exchange, registry: Registry, route: Route): Promise<Answer> | Answer {
    if (exchange.headers.authorization !== undefined) {
      return problem(400, "UNSUPPORTED", "Only one auth mechanism allowed");
    }
    return this.#within(exchange, registry, route);
  }

  /** Q3, Q4. */
  #start(exchange: Exchange, registry: Registry, { name }: Route): Answer {
    const mayCreate = this.quirks.createOnPush.some((prefix) => name.startsWith(prefix));
    if (mayCreate) registry.create(name);
    const repository = registry.repositories.get(name);
    const isDenied = this.denied.has("ecr:InitiateLayerUpload");
    if (repository && !isDenied)
      return startUpload(this.#state, this.sessions, exchange, { registry, repository });
    if (this.quirks.missingRepository === "hang-up") return "hang-up";
    return isDenied || this.quirks.missingRepository === "denied"
      ? problem(403, "DENIED", notAuthorized("ecr:InitiateLayerUpload", registry.arn(name)))
      : nameUnknown(registry, name);
  }

  #within(exchange: Exchange, registry: Registry, { kind, name, id }: Route): Promise<Answer> | Answer {
    const repository = registry.repositories.get(name);
    if (!repository) return nameUnknown(registry, name);
    const place: Place = { registry, repository };
    const state = this.#state;
    switch (kind) {
      case "head-blob":
        return headBlob(state, exchange, place, id);
      case "get-blob":
        return getBlob(state, exchange, place, id);
      case "head-manifest":
      case "get-manifest":
        return badReference(state, id) ?? getManifest(state, exchange, place, id);
      case "put-manifest":
        return badReference(state, id) ?? putManifest(state, exchange, place, id);
      case "list-tags":
        return listTags(state, exchange, place);
      case "referrers":
        return referrers(state, exchange, place, id);
      case "unknown":
        return problem(405, "UNSUPPORTED", "The operation is unsupported");
      default: {
        const receive = () => continueUpload(state, this.sessions, exchange, { ...place, id });
        return this.limits.body<Answer>(this.quirks.parallelBodies, receive, "hang-up");
      }
    }
  }
}

function nameUnknown({ account }: Registry, name: string): Reply {
  const message = `The repository with name '${name}' does not exist in the registry with id '${account}'`;
  return problem(404, "NAME_UNKNOWN", message);
}

/** Q22: the plan of the quirk's present value. Giving the field a new value starts its numbers again. */
function byChance(quirks: Quirks): FaultPlan {
  let made = { from: quirks.flaky, plan: flaky(quirks.flaky) };
  return (request) => {
    if (made.from !== quirks.flaky) made = { from: quirks.flaky, plan: flaky(quirks.flaky) };
    return made.plan(request);
  };
}

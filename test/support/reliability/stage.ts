import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../../../src/session/session.ts";
import type { Repository } from "../ecr/content/repositories.ts";
import { ACCOUNT, REGION } from "../ecr/ecr.ts";
import { privateQuirks, type Quirks } from "../ecr/quirks.ts";
import { type EcrWorld, ecrWorld, HOSTS } from "../ecr/world.ts";
import { type LookedUp, resolveName } from "../http/resolver.ts";
import { TestRegistry, type TestRegistryOptions } from "../registry/registry.ts";
import { bytesOf, type TestImage } from "../registry/repository.ts";
import type { Seen } from "../registry/request.ts";
import { asker, faultsOf, type TroublePlan, type Way } from "./faults/connection-faults.ts";
import { faultOfPlain, wordOf } from "./faults/plain-faults.ts";
import type { Held } from "./make-document.ts";

export type StageName = "ecr" | "plain";

/** A registry on which one fault plan is played, with canaries as its credentials. */
export interface Stage {
  readonly name: StageName;
  /** As a reference names it; another one for each stage, for a host's pace is shared within a process. */
  readonly host: string;
  /** All that the product may know. */
  readonly environment: Environment;
  /** Of a stage of ECR. */
  readonly world?: EcrWorld;
  /** Asked for every request, to the registry, its storage and its API, in the words of ecr/routes.ts; and on the way, in those of ways.ts. */
  play(plan: TroublePlan): void;
  /** Holds the image under `repository:v1` from now on. */
  hold(repository: string, image: TestImage): Promise<void>;
  /** Holds these under `repository` from now on; `v1` names the first document. */
  store(repository: string, held: Held): Promise<void>;
  /** Bytes of blobs that came in, sent twice counted twice. */
  received(): number;
  /** Which secrets occur in a text. */
  leaks(text: string): readonly string[];
  /** Requests with an Authorization header at a host where it does not belong. */
  strays(): number;
  stop(): Promise<void>;
}

export interface StageOptions {
  readonly quirks?: Partial<Quirks>;
  readonly plain?: TestRegistryOptions;
  /** The plain registry has a name, which is looked up, instead of an address. */
  readonly named?: boolean;
}

export function openStage(name: StageName, options: StageOptions = {}): Promise<Stage> {
  return name === "ecr" ? ecrStage(options) : plainStage(options);
}

let accounts = 0;

async function ecrStage({ quirks = {} }: StageOptions): Promise<Stage> {
  const world = await ecrWorld({ quirks: { ...privateQuirks(), ...quirks } });
  accounts += 1;
  const account = String(Number(ACCOUNT) + accounts);
  const host = HOSTS.registry.replace(ACCOUNT, account);
  world.proxy.route(host, world.ecr.origin.port);
  const registry = world.ecr.registry(account, REGION);
  registry.create("app");
  const { environment, resolve } = namedProxy(world.environment, `proxy-${accounts}.localhost`);
  return {
    name: "ecr",
    host,
    environment,
    world,
    play(plan) {
      const faults = faultsOf(plan);
      world.ecr.fault = faults;
      world.ecr.storageOrigin.fault = faults;
      world.api.origin.fault = faults;
      playOnTheWay(world, host, plan, resolve);
    },
    hold: (repository, image) => storeEcr(registry.create(repository), heldOf(image)),
    store: (repository, held) => storeEcr(registry.create(repository), held),
    received: () =>
      world.ecr.log
        .filter(({ kind }) => kind === "patch" || kind === "put-blob")
        .reduce((sum, { bodyBytes }) => sum + bodyBytes, 0),
    leaks: (text) => world.leaks(text),
    strays: () => world.strayAuthorizations().filter((entry) => entry.host !== host).length,
    stop: () => world.stop(),
  };
}

/** As the world's, with the proxy under a name, whose look-ups ask what is given to `resolve`. */
function namedProxy(environment: EcrWorld["environment"], name: string) {
  const url = environment["HTTPS_PROXY"]?.replace("127.0.0.1", name) ?? "";
  let ends: () => LookedUp = () => "here";
  resolveName(name, () => ends());
  return {
    environment: { ...environment, HTTPS_PROXY: url, HTTP_PROXY: url },
    resolve(next: () => LookedUp) {
      ends = next;
    },
  };
}

function playOnTheWay(
  { proxy, ecr }: EcrWorld,
  host: string,
  plan: TroublePlan,
  resolve: (ends: () => LookedUp) => void,
): void {
  const ask = asker(plan);
  resolve(() => lookedUp(ask("look-up", host)));
  proxy.fault = (request) => {
    if (request.host !== host) return undefined;
    const shown = ask("handshake", host);
    ecr.origin.leaf = shown?.do === "certificate" ? shown.leaf : {};
    const way = ask("tunnel", host);
    return way?.do === "tunnel" ? way.fault : undefined;
  };
}

function lookedUp(way: Way | undefined): LookedUp {
  return way?.do === "look-up" ? way.ends : "here";
}

const USER = "canary-user-5d1f";
const PASSWORD = "canary-password-0b9e44c6";

async function plainStage({ plain = {}, named = false }: StageOptions): Promise<Stage> {
  const registry = await TestRegistry.start({ auth: "token", user: USER, password: PASSWORD, ...plain });
  const home = mkdtempSync(join(tmpdir(), "lambda-pack-stage-"));
  const auth = Buffer.from(`${USER}:${PASSWORD}`).toString("base64");
  const counts = new Map<string, number>();
  accounts += 1;
  const name = `registry-${accounts}.localhost`;
  const host = named ? registry.host.replace("127.0.0.1", name) : registry.host;
  let ends: () => LookedUp = () => "here";
  const forget = resolveName(name, () => ends());
  return {
    name: "plain",
    host,
    environment: { HOME: home, DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [host]: { auth } } }) },
    play(troubles) {
      const plan = faultsOf(troubles);
      const ask = asker(troubles);
      ends = () => lookedUp(ask("look-up", host));
      registry.fault = (seen) => {
        const kind = wordOf(seen.kind);
        const count = (counts.get(kind) ?? 0) + 1;
        counts.set(kind, count);
        const path = `${seen.path}?${seen.query}`;
        return faultOfPlain(plan({ method: seen.method, host: registry.host, path, kind, count }));
      };
    },
    hold: (repository, image) => storePlain(registry, repository, heldOf(image)),
    store: (repository, held) => storePlain(registry, repository, held),
    received: () => registry.bytesReceived,
    leaks: (text) =>
      [PASSWORD, auth, ...bearers(registry.requests)].filter((secret) => text.includes(secret)),
    strays: () =>
      registry.seen("redirected blob").filter(({ headers }) => headers.authorization !== undefined).length,
    async stop() {
      forget();
      await registry.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function heldOf({ manifest, config, layers }: TestImage): Held {
  return { documents: [manifest], blobs: [config, ...layers] };
}

async function storeEcr(repository: Repository, { documents, blobs }: Held): Promise<void> {
  for (const blob of blobs) repository.blobs.set(blob.descriptor.digest, await bytesOf(blob));
  for (const [index, document] of documents.entries()) {
    const { mediaType } = document.descriptor;
    repository.addManifest(await bytesOf(document), mediaType, ...(index === 0 ? ["v1"] : []));
  }
}

async function storePlain(
  registry: TestRegistry,
  repository: string,
  { documents, blobs }: Held,
): Promise<void> {
  for (const blob of blobs) registry.addBlob(repository, await bytesOf(blob));
  for (const [index, document] of documents.entries()) {
    const { mediaType } = document.descriptor;
    registry.addManifest(repository, mediaType, await bytesOf(document), ...(index === 0 ? ["v1"] : []));
  }
}

/** Every token that a request carried. */
function bearers(requests: readonly Seen[]): readonly string[] {
  const shown = requests.flatMap(({ headers }) => headers.authorization?.split(" ")[1] ?? []);
  return [...new Set(shown)];
}

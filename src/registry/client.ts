import { Readable } from "node:stream";
import type { Pacing } from "../async/pacing.ts";
import { LambdaPackError } from "../errors.ts";
import type { OnEvent } from "../events.ts";
import type { Authorizer } from "./auth/auth.ts";
import { type Attempted, refusalOf, unreachable } from "./errors/error.ts";
import { ERROR_LIMIT } from "./errors/error-document.ts";
import { createRetries, type RetryPolicy, type Tries } from "./errors/retry.ts";
import { type Throttle, throttleOf } from "./errors/throttle.ts";
import { followLocation, sameOrigin } from "./http/address.ts";
import type { Http, HttpBody, HttpRequest, HttpResponse } from "./http/http.ts";
import { readUpTo } from "./http/steady.ts";
import { warningsTo } from "./http/warnings.ts";
import type { RegistryTraits } from "./traits.ts";

/** What is done, in the words of a message, and until when. */
export interface Step extends Pick<Attempted, "action" | "subject"> {
  readonly signal?: AbortSignal | undefined;
}

/** One exchange of the protocol. */
export interface Call extends Step {
  readonly method: HttpRequest["method"];
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpBody;
  /** Statuses that are an answer; every other one is an error. */
  readonly answers: readonly number[];
  /** How much longer than usual the registry may take before it answers. */
  readonly extraAnswerMs?: number | undefined;
  /** Another repository of the registry whose content is asked for too. */
  readonly from?: string | undefined;
}

/** Speaks to one repository, with its credentials, at the pace of its host. */
export interface RegistryClient {
  /** Host and port as a reference names it. */
  readonly registry: string;
  readonly repository: string;
  /** `registry/repository`. */
  readonly name: string;
  readonly traits: RegistryTraits;
  readonly pacing: Pacing;
  /** `/v2/<repository>/<path>` at the registry. */
  url(path: string): URL;
  /** An address that an answer named. @throws REGISTRY_ANSWER when it may not be gone to. */
  follow(location: string, asked: URL): URL;
  /** One exchange. @throws RegistryError for every status that is no answer, and what the system says when none comes. */
  once(call: Call): Promise<HttpResponse>;
  /** As `once`, again by the policy. @throws as `once`, and REGISTRY_UNREACHABLE. */
  send(call: Call): Promise<HttpResponse>;
  /** `work` of several exchanges, again by the policy. @throws as `send`. */
  persist<T>(step: Step, work: (tries: Tries) => Promise<T>): Promise<T>;
  /** The patience with one thing, for work that goes on by itself. Its errors are not yet in the words of the user. */
  tries(step: Step): Tries;
  /** A failure in the words of the user. */
  explain(error: unknown, step: Step): unknown;
}

export interface ClientOptions {
  readonly registry: string;
  readonly repository: string;
  readonly base: URL;
  readonly http: Http;
  readonly authorizer: Authorizer;
  readonly traits: RegistryTraits;
  readonly pacing: Pacing;
  readonly policy: RetryPolicy;
  readonly onEvent?: OnEvent | undefined;
}

export function createClient(options: ClientOptions): RegistryClient {
  const { registry, repository, base, traits, pacing, policy, onEvent } = options;
  const name = `${registry}/${repository}`;
  const about = { name, registry: traits.name, at: base.host };
  const throttle = throttleOf(base.host, pacing);
  const retries = createRetries({ pacing, policy, throttle, onEvent });
  const once = exchangeOf({ ...options, about, throttle, warn: warningsTo(onEvent, registry) });
  const explain = (error: unknown, step: Step) => unreachable(error, { ...step, ...about });
  const client: RegistryClient = {
    registry,
    repository,
    name,
    traits,
    pacing,
    url: (path) => new URL(`/v2/${repository}/${path}`, base),
    follow: (location, asked) => followLocation(location, asked, base),
    once,
    send: (call) => client.persist(call, () => once(call)),
    tries: ({ action, subject }) => retries.tries(`${action} ${subject}`),
    explain,
    async persist(step, work) {
      try {
        return await retries.run(`${step.action} ${step.subject}`, work, step.signal);
      } catch (error) {
        throw explain(error, step);
      }
    },
  };
  return client;
}

interface Exchange extends ClientOptions {
  readonly about: Pick<Attempted, "name" | "registry" | "at">;
  readonly throttle: Throttle;
  readonly warn: (headers: readonly string[]) => void;
}

/** GHSA advice on registries: a handful is plenty, more is a loop. */
const MAX_REDIRECTS = 5;
/** One because the token was old, one because the new one came without the scope (Jib's refresh limit). */
const MAX_CHALLENGES = 2;

function exchangeOf(exchange: Exchange): RegistryClient["once"] {
  const { throttle, warn, about, pacing } = exchange;
  return (call) =>
    throttle.run(async () => {
      const response = await follow(call, exchange);
      warn(response.headerLines("warning"));
      if (call.answers.includes(response.status)) return response;
      throw await refusalOf(response, { ...call, ...about }, pacing);
    }, call.signal);
}

/** Redirects by hand: got would lose the body of a PUT and trust any host. */
async function follow(call: Call, exchange: Exchange): Promise<HttpResponse> {
  let url = call.url;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const response = await authorized({ ...call, url }, exchange);
    const location = redirectOf(call, response);
    if (location === undefined) return response;
    url = followLocation(location, url, exchange.base);
    response.discard();
  }
  throw new LambdaPackError(
    "REGISTRY_ANSWER",
    `${call.url.host} redirects more than ${MAX_REDIRECTS} times`,
    {
      hint: "what stands in front of the registry sends every request on: check its address",
    },
  );
}

/** 301 to 303 would turn a request with a body into a GET. */
function redirectOf({ method, answers }: Call, response: HttpResponse): string | undefined {
  const reads = method === "GET" || method === "HEAD";
  const follows = reads ? [301, 302, 303, 307, 308] : [307, 308];
  if (answers.includes(response.status) || !follows.includes(response.status)) return undefined;
  return response.header("location");
}

/** Credentials go with the first request, never after a body was sent in vain, and to the registry's own origin only. */
async function authorized(call: Call, exchange: Exchange): Promise<HttpResponse> {
  const { base, http, authorizer, repository, pacing } = exchange;
  if (!sameOrigin(call.url, base)) return http.send({ ...requestOf(call), from: base });
  const scopes = scopesOf(call, repository);
  /** What was said of the user's own login, which is the news where going on as nobody does not help. */
  let said: HttpResponse | undefined;
  for (let challenges = 0; ; challenges++) {
    const authorization = await authorizer.authorization(scopes, call.signal);
    const response = await http.send(requestOf(call, authorization));
    if (![401, 403].includes(response.status) || challenges === MAX_CHALLENGES) return response;
    const refused = await heard(response, pacing);
    if (authorization !== undefined) said = refused;
    if (!(await authorizer.challenged(refused, scopes, call.signal))) return said ?? refused;
  }
}

/** A refusal with its words in hand. ECR says "expired" with the status of "denied" (awslabs/soci-snapshotter#1148): to be challenged all the same. */
async function heard(response: HttpResponse, pacing: Pacing): Promise<HttpResponse> {
  const words = (await readUpTo(response, ERROR_LIMIT, pacing).catch(() => undefined)) ?? Buffer.alloc(0);
  const status = /authorization token has expired/i.test(words.toString("latin1")) ? 401 : response.status;
  const body = Readable.from([words]);
  return { ...response, status, body, blocks: body };
}

function requestOf(call: Call, authorization?: string): HttpRequest {
  const { method, url, headers, body, signal, extraAnswerMs } = call;
  return {
    method,
    url,
    signal,
    extraAnswerMs,
    headers: { ...headers, ...(authorization !== undefined && { authorization }) },
    ...(body && { body }),
  };
}

/** distribution "Docker Registry Token Authentication": what is read needs pull, what is written both. */
function scopesOf({ method, from }: Call, repository: string): readonly string[] {
  const own = `repository:${repository}:${method === "GET" || method === "HEAD" ? "pull" : "pull,push"}`;
  return from === undefined ? [own] : [own, `repository:${from}:pull`];
}

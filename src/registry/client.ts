import type { Pacing } from "../async/retry.ts";
import { LambdaPackError } from "../errors.ts";
import type { OnEvent } from "../events.ts";
import type { Authorizer } from "./auth/authorizer.ts";
import { ERROR_LIMIT } from "./errors/error-document.ts";
import type { Attempted } from "./errors/network-error.ts";
import { unreachable } from "./errors/network-error.ts";
import { refusalOf } from "./errors/refusal.ts";
import { Attempts, type RetryPolicy } from "./errors/retry.ts";
import type { Throttle } from "./errors/throttle.ts";
import { followLocation, sameOrigin } from "./http/address.ts";
import type { Http, HttpBody, HttpRequest, HttpResponse } from "./http/http.ts";
import { iterate, warningsTo } from "./http/response.ts";
import type { RegistryTraits } from "./traits.ts";

/** What is done, as messages name it, and the signal that ends it. */
export interface Step extends Pick<Attempted, "action" | "subject"> {
  readonly signal?: AbortSignal | undefined;
}

/** One call of the protocol. */
export interface Call extends Step, Pick<HttpRequest, "commits"> {
  readonly method: HttpRequest["method"];
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpBody;
  /** Expected statuses; every other one is an error. */
  readonly answers: readonly number[];
  /** Another repository of the registry, from which a blob is mounted. */
  readonly from?: string | undefined;
}

/** Sends requests for one repository, with its credentials, at the rate that its host allows. */
export interface RegistryClient {
  /** Host and port as in a reference. */
  readonly registry: string;
  readonly repository: string;
  /** `registry/repository`. */
  readonly name: string;
  readonly traits: RegistryTraits;
  readonly pacing: Pacing;
  /** Returns the URL of `/v2/<repository>/<path>` at the registry. */
  url(path: string): URL;
  /**
   * Resolves a Location in the answer to the URL `asked`.
   * @throws REGISTRY_ANSWER when it may not be followed.
   */
  follow(location: string, asked: URL): URL;
  /**
   * Sends one request.
   * @throws an error with an `answer` for every unexpected status, and the system's own errors.
   */
  once(call: Call): Promise<HttpResponse>;
  /** Calls `work`, which makes requests, with retries. @throws as `once`, and REGISTRY_UNREACHABLE. */
  persist<T>(step: Step, work: (attempts: Attempts) => Promise<T>): Promise<T>;
  /** Returns a counter for work that retries each of its parts by this client's policy. */
  attempts(step: Step): Attempts;
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
  readonly throttle: Throttle;
  readonly onEvent?: OnEvent | undefined;
}

/** More redirects than this are a loop. */
const MAX_REDIRECTS = 5;
/** One for an expired token, one for a new token that lacks the scope (Jib's limit). */
const MAX_CHALLENGES = 2;

export function createClient(options: ClientOptions): RegistryClient {
  const { registry, repository, base, http, authorizer, traits, pacing, throttle, onEvent } = options;
  const name = `${registry}/${repository}`;
  const warn = warningsTo(onEvent, registry);
  let hasAnswered = false;
  const attempted = ({ action, subject }: Step): Attempted => {
    const about = { name, registry: traits.name, at: base.host };
    return { action, subject, ...about, credentialsFrom: authorizer.credentialsFrom };
  };

  const noting: Http["send"] = async (request) => {
    const response = await http.send(request);
    hasAnswered = true;
    return response;
  };

  async function once(call: Call): Promise<HttpResponse> {
    const leave = await throttle.enter(call.signal);
    let isDone = false;
    try {
      const answer = await exchange(call, noting, options);
      warn(answer.headerLines("warning"));
      isDone = call.answers.includes(answer.status);
      if (isDone) return answer;
      throw await refusalOf(answer, attempted(call), pacing);
    } finally {
      leave(isDone);
    }
  }

  const client: RegistryClient = {
    registry,
    repository,
    name,
    traits,
    pacing,
    url: (path) => new URL(`/v2/${repository}/${path}`, base),
    follow: (location, asked) => followLocation(location, asked, base),
    once,
    persist: (step, work) => client.attempts(step).run(work, step.signal),
    attempts: (step) =>
      new Attempts(`${step.action} ${step.subject}`, {
        ...options,
        wasReached: () => hasAnswered,
        explain: (error) => unreachable(error, attempted(step)),
      }),
  };
  return client;
}

/** A request with a body does not follow 301 to 303, which would make it a GET. */
function redirectOf({ method }: Call, response: HttpResponse): string | undefined {
  const reads = method === "GET" || method === "HEAD";
  const follows = reads ? [301, 302, 303, 307, 308] : [307, 308];
  return follows.includes(response.status) ? response.header("location") : undefined;
}

/**
 * Sends one call, with all requests that challenges and redirects require. It follows redirects
 * itself, because got would drop the body of a PUT and trust any host.
 * @throws REGISTRY_ANSWER for a redirect that may not be followed.
 */
async function exchange(call: Call, send: Http["send"], options: ClientOptions): Promise<HttpResponse> {
  const { base } = options;
  let url = call.url;
  for (let redirects = 0; ; redirects++) {
    const request = requestOf(call, url);
    const isHome = sameOrigin(url, base);
    const response = await (isHome
      ? sendHome(request, scopesOf(call, options.repository), send, options.authorizer)
      : send({ ...request, from: base }));
    const location = call.answers.includes(response.status) ? undefined : redirectOf(call, response);
    if (location === undefined) return response;
    if (redirects === MAX_REDIRECTS)
      throw new LambdaPackError(
        "REGISTRY_ANSWER",
        `${call.url.host} redirects more than ${redirects} times`,
        {
          hint: "what stands in front of the registry redirects every request: check its address",
        },
      );
    url = followLocation(location, url, base);
    response.discard();
  }
}

/**
 * Sends a request to the registry's own origin, the only one that gets credentials. It has them
 * from the first request on, so that no body is sent twice.
 */
async function sendHome(
  request: HttpRequest,
  scopes: readonly string[],
  send: Http["send"],
  authorizer: Authorizer,
): Promise<HttpResponse> {
  const { signal } = request;
  // Reported if the anonymous request is refused too.
  let loginRefusal: HttpResponse | undefined;
  for (let challenges = 0; ; ) {
    const authorization = await authorizer.authorization(scopes, signal);
    const response = await send(withAuthorization(request, authorization));
    // A 404 may hide a private repository: ask again with credentials.
    if (response.status === 404 && (await authorizer.discover(scopes, signal))) {
      response.discard();
      continue;
    }
    if (![401, 403].includes(response.status) || challenges === MAX_CHALLENGES) return response;
    challenges += 1;
    const refused = await buffered(response);
    if (authorization !== undefined) loginRefusal = refused;
    if (!(await authorizer.handleChallenge(refused, scopes, signal))) return loginRefusal ?? refused;
  }
}

function withAuthorization(request: HttpRequest, authorization: string | undefined): HttpRequest {
  if (authorization === undefined) return request;
  return { ...request, headers: { ...request.headers, authorization } };
}

/**
 * Reads the body of a refusal so that it can be read again. ECR answers an expired token with 403
 * (awslabs/soci-snapshotter#1148); that is treated as a 401.
 */
async function buffered(response: HttpResponse): Promise<HttpResponse> {
  const words = await response.bytes(ERROR_LIMIT).catch(() => Buffer.alloc(0));
  const status = /authorization token has expired/i.test(words.toString("latin1")) ? 401 : response.status;
  const read = { body: iterate([words]), bytes: async () => words, text: async () => words.toString("utf8") };
  return { ...response, ...read, status, discard: () => {} };
}

function requestOf({ method, headers, body, signal, commits }: Call, url: URL): HttpRequest {
  return { method, url, signal, commits, headers, body };
}

/** Reading needs pull, writing both (distribution, "Docker Registry Token Authentication"). */
function scopesOf({ method, from }: Call, repository: string): readonly string[] {
  const own = `repository:${repository}:${method === "GET" || method === "HEAD" ? "pull" : "pull,push"}`;
  return from === undefined ? [own] : [own, `repository:${from}:pull`];
}

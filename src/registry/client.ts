import type { Pacing } from "../async/pacing.ts";
import { LambdaPackError } from "../errors.ts";
import type { OnEvent } from "../events.ts";
import type { Authorizer } from "./auth/authorizer.ts";
import type { Attempted } from "./errors/attempted.ts";
import { ERROR_LIMIT } from "./errors/error-document.ts";
import { unreachable } from "./errors/network-error.ts";
import { refusalOf } from "./errors/refusal.ts";
import { Attempts, type RetryPolicy } from "./errors/retry.ts";
import type { Throttle } from "./errors/throttle.ts";
import { followLocation, sameOrigin } from "./http/address.ts";
import type { Http, HttpBody, HttpRequest, HttpResponse } from "./http/http.ts";
import { iterate } from "./http/response.ts";
import { warningsTo } from "./http/warnings.ts";
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
  /** Like `once`, with retries. @throws as `once`, and REGISTRY_UNREACHABLE. */
  send(call: Call): Promise<HttpResponse>;
  /** Calls `work`, which makes several requests, with retries. @throws as `send`. */
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
  const { registry, repository, base, authorizer, traits, pacing, policy, throttle, onEvent } = options;
  const name = `${registry}/${repository}`;
  const warn = warningsTo(onEvent, registry);
  let hasAnswered = false;
  const http: Http = {
    ...options.http,
    async send(request) {
      const response = await options.http.send(request);
      hasAnswered = true;
      return response;
    },
  };
  const attempted = ({ action, subject }: Step): Attempted => {
    const about = { name, registry: traits.name, at: base.host };
    return { action, subject, ...about, credentialsFrom: authorizer.credentialsFrom };
  };

  async function once(call: Call): Promise<HttpResponse> {
    const leave = await throttle.enter(call.signal);
    let isDone = false;
    try {
      const answer = await exchange(call, { ...options, http });
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
    send: (call) => client.persist(call, () => once(call)),
    persist: (step, work) => client.attempts(step).run(work, step.signal),
    attempts: (step) =>
      new Attempts(`${step.action} ${step.subject}`, {
        ...{ pacing, policy, throttle, onEvent },
        wasReached: () => hasAnswered,
        explain: (error) => unreachable(error, attempted(step)),
      }),
  };
  return client;
}

function tooManyRedirects(url: URL): LambdaPackError {
  return new LambdaPackError("REGISTRY_ANSWER", `${url.host} redirects more than ${MAX_REDIRECTS} times`, {
    hint: "what stands in front of the registry redirects every request: check its address",
  });
}

/** A request with a body does not follow 301 to 303, which would make it a GET. */
function redirectOf({ method }: Call, response: HttpResponse): string | undefined {
  const reads = method === "GET" || method === "HEAD";
  const follows = reads ? [301, 302, 303, 307, 308] : [307, 308];
  return follows.includes(response.status) ? response.header("location") : undefined;
}

/**
 * Makes a call, with all requests that challenges and redirects require. It follows redirects
 * itself, because got would drop the body of a PUT and trust any host. Credentials are sent only to
 * the registry's own origin, and with the first request, so that no body is sent twice.
 * @throws REGISTRY_ANSWER for a redirect that may not be followed.
 */
async function exchange(call: Call, options: ClientOptions): Promise<HttpResponse> {
  const { base, http } = options;
  let url = call.url;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = sameOrigin(url, base)
      ? await sendHome({ ...call, url }, options)
      : await http.send({ ...requestOf({ ...call, url }), from: base });
    const isExpected = call.answers.includes(response.status);
    const location = isExpected ? undefined : redirectOf(call, response);
    if (location === undefined) return response;
    response.discard();
    url = followLocation(location, url, base);
  }
  throw tooManyRedirects(call.url);
}

/**
 * Sends a request to the registry's own origin, with credentials, and again after each challenge
 * that gives other credentials. Returns the refusal of the user's login where the anonymous request
 * is refused too.
 */
async function sendHome(call: Call, options: ClientOptions): Promise<HttpResponse> {
  const { authorizer, http, repository } = options;
  const { signal } = call;
  const scopes = scopesOf(call, repository);
  let challenges = 0;
  let loginRefusal: HttpResponse | undefined;
  for (;;) {
    const authorization = await authorizer.authorization(scopes, signal);
    const response = await http.send(requestOf(call, authorization));
    // A 404 may hide a private repository.
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

function requestOf(call: Call, authorization?: string): HttpRequest {
  const { method, url, headers, body, signal, commits } = call;
  return {
    method,
    url,
    signal,
    commits,
    headers: { ...headers, ...(authorization !== undefined && { authorization }) },
    ...(body && { body }),
  };
}

/** Reading needs pull, writing both (distribution, "Docker Registry Token Authentication"). */
function scopesOf({ method, from }: Call, repository: string): readonly string[] {
  const own = `repository:${repository}:${method === "GET" || method === "HEAD" ? "pull" : "pull,push"}`;
  return from === undefined ? [own] : [own, `repository:${from}:pull`];
}

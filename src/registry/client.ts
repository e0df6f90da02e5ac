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

  async function once(call: Call): Promise<HttpResponse> {
    const leave = await throttle.enter(call.signal);
    const exchange = new Exchange(call, options);
    let isDone = false;
    try {
      for (;;) {
        const response = await http.send(await exchange.request());
        hasAnswered = true;
        const answer = await exchange.answerTo(response);
        if (!answer) continue;
        warn(answer.headerLines("warning"));
        isDone = call.answers.includes(answer.status);
        if (isDone) return answer;
        throw await refusalOf(answer, attempted(call), pacing);
      }
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
 * One call, with all requests that challenges and redirects require. It follows redirects itself,
 * because got would drop the body of a PUT and trust any host. Credentials are sent only to the
 * registry's own origin, and with the first request, so that no body is sent twice.
 */
class Exchange {
  readonly #call: Call;
  readonly #options: ClientOptions;
  readonly #scopes: readonly string[];
  #url: URL;
  #redirects = 0;
  #challenges = 0;
  #authorization: string | undefined;
  /** The refusal of the user's login, reported if the anonymous request is refused too. */
  #loginRefusal: HttpResponse | undefined;

  constructor(call: Call, options: ClientOptions) {
    this.#call = call;
    this.#options = options;
    this.#scopes = scopesOf(call, options.repository);
    this.#url = call.url;
  }

  /** Returns the next request. */
  async request(): Promise<HttpRequest> {
    const { base, authorizer } = this.#options;
    const call = { ...this.#call, url: this.#url };
    if (!sameOrigin(this.#url, base)) return { ...requestOf(call), from: base };
    this.#authorization = await authorizer.authorization(this.#scopes, call.signal);
    return requestOf(call, this.#authorization);
  }

  /**
   * Returns the answer to the call; undefined when the next request has to be sent.
   * @throws REGISTRY_ANSWER for a redirect that may not be followed.
   */
  async answerTo(response: HttpResponse): Promise<HttpResponse | undefined> {
    const { base } = this.#options;
    const isHome = sameOrigin(this.#url, base);
    if (isHome && (await this.#isHidden(response))) return undefined;
    if (isHome && [401, 403].includes(response.status) && this.#challenges < MAX_CHALLENGES)
      return this.#challenged(await buffered(response));
    const location = this.#call.answers.includes(response.status)
      ? undefined
      : redirectOf(this.#call, response);
    if (location === undefined) return response;
    this.#redirects += 1;
    if (this.#redirects > MAX_REDIRECTS) throw tooManyRedirects(this.#call.url);
    this.#url = followLocation(location, this.#url, base);
    this.#challenges = 0;
    response.discard();
    return undefined;
  }

  /** Returns whether to ask again with credentials: a 404 may hide a private repository. */
  async #isHidden(response: HttpResponse): Promise<boolean> {
    if (response.status !== 404) return false;
    const isWorthIt = await this.#options.authorizer.discover(this.#scopes, this.#call.signal);
    if (isWorthIt) response.discard();
    return isWorthIt;
  }

  async #challenged(refused: HttpResponse): Promise<HttpResponse | undefined> {
    this.#challenges += 1;
    if (this.#authorization !== undefined) this.#loginRefusal = refused;
    const { authorizer } = this.#options;
    const isNew = await authorizer.handleChallenge(refused, this.#scopes, this.#call.signal);
    return isNew ? undefined : (this.#loginRefusal ?? refused);
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

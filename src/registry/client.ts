import type { Pacing } from "../async/pacing.ts";
import { LambdaPackError } from "../errors.ts";
import type { OnEvent } from "../events.ts";
import type { Authorizer } from "./auth/authorizer.ts";
import type { Attempted } from "./errors/attempted.ts";
import { ERROR_LIMIT } from "./errors/error-document.ts";
import { unreachable } from "./errors/network-error.ts";
import { refusalOf } from "./errors/refusal.ts";
import { Attempts, type RetryPolicy } from "./errors/retry.ts";
import { throttleOf } from "./errors/throttle.ts";
import { followLocation, sameOrigin } from "./http/address.ts";
import type { Http, HttpBody, HttpRequest, HttpResponse } from "./http/http.ts";
import { iterate } from "./http/response.ts";
import { warningsTo } from "./http/warnings.ts";
import type { RegistryTraits } from "./traits.ts";

/** What is done, in the words of a message, and until when. */
export interface Step extends Pick<Attempted, "action" | "subject"> {
  readonly signal?: AbortSignal | undefined;
}

/** One exchange of the protocol. */
export interface Call extends Step, Pick<HttpRequest, "commits"> {
  readonly method: HttpRequest["method"];
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpBody;
  /** Statuses that are an answer; every other one is an error. */
  readonly answers: readonly number[];
  /** Another repository of the registry from which content is asked for too. */
  readonly from?: string | undefined;
}

/** Talks to one repository, with its credentials, at the pace of its host. */
export interface RegistryClient {
  /** Host and port as a reference names it. */
  readonly registry: string;
  readonly repository: string;
  /** `registry/repository`. */
  readonly name: string;
  readonly traits: RegistryTraits;
  readonly pacing: Pacing;
  /** Returns the URL of `/v2/<repository>/<path>` at the registry. */
  url(path: string): URL;
  /** Resolves a Location that an answer to `asked` named. @throws REGISTRY_ANSWER when it may not be followed. */
  follow(location: string, asked: URL): URL;
  /** Sends one request. @throws an error with an `answer` for every status that is not expected, and the system's own errors. */
  once(call: Call): Promise<HttpResponse>;
  /** As `once`, again by the policy. @throws as `once`, and REGISTRY_UNREACHABLE. */
  send(call: Call): Promise<HttpResponse>;
  /** Calls `work`, which makes several requests, again by the policy. @throws as `send`. */
  persist<T>(step: Step, work: (attempts: Attempts) => Promise<T>): Promise<T>;
  /** Counts the attempts of work that retries part by part, with the policy of this client. */
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
  readonly onEvent?: OnEvent | undefined;
}

/** A handful of redirects is plenty, more is a loop. */
const MAX_REDIRECTS = 5;
/** One because the token was old, one because the new one came without the scope (Jib's limit). */
const MAX_CHALLENGES = 2;

export function createClient(options: ClientOptions): RegistryClient {
  const { registry, repository, base, authorizer, traits, pacing, policy, onEvent } = options;
  const name = `${registry}/${repository}`;
  const throttle = throttleOf(base.host, pacing);
  const warn = warningsTo(onEvent, registry);
  let hasAnswered = false;
  const attempted = ({ action, subject }: Step): Attempted => {
    const about = { name, registry: traits.name, at: base.host };
    return { action, subject, ...about, credentialsFrom: authorizer.credentialsFrom };
  };

  /** Redirects are followed here: got would lose the body of a PUT and trust any host. */
  async function once(call: Call): Promise<HttpResponse> {
    const leave = await throttle.enter(call.signal);
    let isDone = false;
    try {
      let { url } = call;
      for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
        const isHome = sameOrigin(url, base);
        const response = isHome
          ? await sendAuthorized({ ...call, url }, options)
          : await options.http.send({ ...requestOf({ ...call, url }), from: base });
        hasAnswered = true;
        warn(response.headerLines("warning"));
        isDone = call.answers.includes(response.status);
        if (isDone) return response;
        const location = redirectOf(call, response);
        if (location === undefined) throw await refusalOf(response, attempted(call), pacing);
        url = followLocation(location, url, base);
        response.discard();
      }
      throw tooManyRedirects(call.url);
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

/** 301 to 303 would turn a request with a body into a GET. */
function redirectOf({ method }: Call, response: HttpResponse): string | undefined {
  const reads = method === "GET" || method === "HEAD";
  const follows = reads ? [301, 302, 303, 307, 308] : [307, 308];
  return follows.includes(response.status) ? response.header("location") : undefined;
}

/**
 * Sends a request to the registry's own origin with its credentials. They go with the first request
 * that has a body, so that no body is sent in vain.
 */
async function sendAuthorized(call: Call, options: ClientOptions): Promise<HttpResponse> {
  const { http, authorizer, repository } = options;
  const scopes = scopesOf(call, repository);
  /** The refusal of the user's own login: it is told where going on without a login does not help. */
  let loginRefusal: HttpResponse | undefined;
  for (let challenges = 0; ; challenges++) {
    const authorization = await authorizer.authorization(scopes, call.signal);
    const response = await http.send(requestOf(call, authorization));
    // A registry may hide from an anonymous caller what its user may see.
    if (response.status === 404 && (await authorizer.discover(scopes, call.signal))) {
      response.discard();
      continue;
    }
    if (![401, 403].includes(response.status) || challenges === MAX_CHALLENGES) return response;
    const refused = await buffered(response);
    if (authorization !== undefined) loginRefusal = refused;
    if (!(await authorizer.handleChallenge(refused, scopes, call.signal))) return loginRefusal ?? refused;
  }
}

/**
 * Reads the words of a refusal, which can then be read again. ECR says "expired" with the status of
 * "denied" (awslabs/soci-snapshotter#1148): that counts as a challenge all the same.
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

/** distribution "Docker Registry Token Authentication": reading needs pull, writing both. */
function scopesOf({ method, from }: Call, repository: string): readonly string[] {
  const own = `repository:${repository}:${method === "GET" || method === "HEAD" ? "pull" : "pull,push"}`;
  return from === undefined ? [own] : [own, `repository:${from}:pull`];
}

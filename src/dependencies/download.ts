import { type Pacing, REAL_PACING, retry } from "../async/retry.ts";
import { type ErrorCode, LambdaPackError, messageOf, type RegistryAnswer } from "../errors.ts";
import type { OnEvent } from "../events.ts";
import { networkTrouble } from "../registry/errors/network-error.ts";
import { printable, redactText, redactUrl } from "../registry/errors/redact.ts";
import { retryAfterMs } from "../registry/errors/refusal.ts";
import { followLocation } from "../registry/http/address.ts";
import type { Http, HttpResponse } from "../registry/http/http.ts";

/** A file in a package registry. */
export interface Download {
  /** The name for messages: `lodash@4.17.21`. */
  readonly name: string;
  readonly url: URL;
  readonly accept?: string;
  /** Returns the Authorization header for a URL, or undefined; called again for each redirect. */
  readonly authorizationFor: (url: URL) => string | undefined;
  /** The maximum size in bytes. */
  readonly limit: number;
  /** The maximum number of attempts. Default 5. */
  readonly attempts?: number;
  readonly signal: AbortSignal;
}

export interface DownloadContext {
  readonly http: Http;
  readonly onEvent?: OnEvent | undefined;
  readonly pacing?: Pacing;
}

const ATTEMPTS = 5;
/**
 * The upper limit of the random wait before the second attempt (full jitter). It doubles with each
 * attempt.
 */
const BASE_MS = 500;
/** The longest pause that a registry can ask for with Retry-After. */
const LONGEST_WAIT_MS = 60_000;
const REDIRECTS = 5;

/**
 * Downloads a file and passes its body to `take`. Repeats this after a temporary failure: no
 * connection, a cut one, 429 and 5xx.
 * @throws REGISTRY_UNREACHABLE or REGISTRY_ANSWER if it continues; CREDENTIALS_INVALID, DENIED,
 * DEPENDENCY_UNAVAILABLE as the registry answers; what `take` throws
 */
export async function download<T>(
  wanted: Download,
  { http, onEvent, pacing = REAL_PACING }: DownloadContext,
  take: (body: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<T> {
  const attempt = async (): Promise<T> => {
    const response = await follow(wanted, http);
    if (response.status !== 200) throw await refusal(response, wanted, pacing);
    return take(bounded(response, wanted));
  };
  try {
    return await retry(attempt, {
      pacing,
      signal: wanted.signal,
      delayAfter: (error, attempts) =>
        attempts < (wanted.attempts ?? ATTEMPTS) ? delayAfter(error, attempts, pacing) : undefined,
      onRetry: ({ error, ...rest }) =>
        onEvent?.({ type: "retrying", what: wanted.name, reason: reasonOf(error), ...rest }),
    });
  } catch (error) {
    throw networkTrouble(error) === undefined ? error : unreachable(wanted, error);
  }
}

function delayAfter(error: unknown, attempts: number, pacing: Pacing): number | undefined {
  const answer = answerOf(error);
  const isTemporary = answer !== undefined && TEMPORARY_STATUSES.includes(answer.status);
  if (!isTemporary && networkTrouble(error) === undefined) return undefined;
  const asked = answer?.retryAfterMs ?? 0;
  if (asked > LONGEST_WAIT_MS) return undefined;
  return Math.round(Math.max(asked, pacing.random() * BASE_MS * 2 ** (attempts - 1)));
}

function answerOf(error: unknown): RegistryAnswer | undefined {
  return error instanceof LambdaPackError ? error.answer : undefined;
}

function reasonOf(error: unknown): string {
  const answer = answerOf(error);
  if (answer) return `HTTP ${answer.status}`;
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

async function follow(
  { url, accept, authorizationFor, signal }: Download,
  http: Http,
): Promise<HttpResponse> {
  let at = url;
  for (let redirects = 0; ; redirects++) {
    const authorization = authorizationFor(at);
    const headers = { ...(accept && { accept }), ...(authorization && { authorization }) };
    const response = await http.send({
      method: "GET",
      url: at,
      headers,
      signal,
      ...(at !== url && { from: url }),
    });
    const location = response.header("location");
    if (response.status < 300 || response.status >= 400 || location === undefined) return response;
    response.discard();
    if (redirects === REDIRECTS) {
      const message = `${redactUrl(url)} redirects more than ${REDIRECTS} times`;
      throw new LambdaPackError("REGISTRY_ANSWER", message);
    }
    at = followLocation(location, at, url);
  }
}

async function* bounded(
  { body }: HttpResponse,
  { name, url, limit }: Download,
): AsyncGenerator<Uint8Array, void, void> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) {
      const message = `${name} from ${redactUrl(url)} is larger than ${limit} bytes`;
      const hint = "check the registry, or install with the package manager and build without --install";
      throw new LambdaPackError("REGISTRY_ANSWER", message, { hint });
    }
    yield chunk;
  }
}

const TEMPORARY_STATUSES: readonly number[] = [408, 425, 429, 500, 502, 503, 504, 522];
const EXPLANATION_LIMIT = 4096;

async function refusal(
  response: HttpResponse,
  { name, url }: Download,
  pacing: Pacing,
): Promise<LambdaPackError> {
  const { status, authorization } = response;
  const explanation = printable(redactText(await response.text(EXPLANATION_LIMIT).catch(() => "")), 200);
  const message = `${name}: ${redactUrl(url)} answered HTTP ${status}${explanation === "" ? "" : `, ${explanation}`}`;
  const asked = retryAfterMs(response.header("retry-after"), pacing.now());
  return new LambdaPackError(codeOf(status), message, {
    hint: hintOf(status, url.host, authorization !== undefined),
    answer: { status, complaints: [], retryAfterMs: asked },
  });
}

function codeOf(status: number): ErrorCode {
  if (status === 401) return "CREDENTIALS_INVALID";
  if (status === 403) return "DENIED";
  return status === 404 || status === 410 ? "DEPENDENCY_UNAVAILABLE" : "REGISTRY_ANSWER";
}

function hintOf(status: number, host: string, wereSent: boolean): string {
  const code = codeOf(status);
  if (code === "REGISTRY_ANSWER") return "run it again: the packages that were downloaded are in the cache";
  if (code === "DEPENDENCY_UNAVAILABLE")
    return `check that ${host} has this version, and that the registry is set as when the lock was written`;
  return wereSent
    ? `the credentials for ${host} were sent and refused: renew them`
    : `no credentials are configured for ${host}: log in there as for the package manager`;
}

/** Returns the Authorization header for a user and password (RFC 7617). */
export function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

function unreachable({ name, url }: Download, cause: unknown): LambdaPackError {
  const message = `cannot download ${name} from ${redactUrl(url)}: ${messageOf(cause)}`;
  return new LambdaPackError("REGISTRY_UNREACHABLE", message, {
    hint: "check the network and HTTPS_PROXY, then run it again: the packages that were downloaded are in the cache",
    cause,
  });
}

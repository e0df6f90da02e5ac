import { type Pacing, REAL_PACING } from "../async/pacing.ts";
import { LambdaPackError } from "../errors.ts";
import type { OnEvent } from "../events.ts";
import { networkTrouble, retryAfterMs } from "../registry/errors/error.ts";
import { printable, redactText, redactUrl } from "../registry/errors/redact.ts";
import { followLocation } from "../registry/http/address.ts";
import type { Http, HttpResponse } from "../registry/http/http.ts";

/** A file of a package registry. */
export interface Download {
  /** For messages: `lodash@4.17.21`. */
  readonly name: string;
  readonly url: URL;
  readonly accept?: string;
  /** The Authorization header for a URL; undefined: none. Is asked again for each redirect. */
  readonly authorizationFor: (url: URL) => string | undefined;
  /** Bytes. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

export interface DownloadContext {
  readonly http: Http;
  readonly onEvent?: OnEvent | undefined;
  readonly pacing?: Pacing;
}

const ATTEMPTS = 5;
/** The wait before the second attempt is drawn from 0 to this, each further one from twice as much (full jitter). */
const BASE_MS = 500;
/** A registry that asks for a longer pause is not waited for. */
const LONGEST_WAIT_MS = 60_000;
const REDIRECTS = 5;

/** What one attempt came to. */
type Outcome<T> =
  | { readonly kind: "done"; readonly value: T }
  | {
      readonly kind: "failed";
      readonly reason: string;
      readonly waitMs?: number | undefined;
      readonly cause?: unknown;
    };

/**
 * Gives the body of the answer to `take`, again from its start after a failure that may pass: no connection, a cut one, 429 and 5xx.
 * @throws REGISTRY_UNREACHABLE or REGISTRY_ANSWER when it stays so; CREDENTIALS_INVALID, DENIED, DEPENDENCY_UNAVAILABLE as the registry says;
 * what `take` throws.
 */
export async function download<T>(
  wanted: Download,
  { http, onEvent, pacing = REAL_PACING }: DownloadContext,
  take: (body: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await attemptOnce(wanted, http, pacing, take);
    if (outcome.kind === "done") return outcome.value;
    const { reason, waitMs: asked = 0, cause } = outcome;
    if (attempt === ATTEMPTS || asked > LONGEST_WAIT_MS) throw givenUp(wanted, attempt, reason, cause);
    const waitMs = Math.round(Math.max(asked, pacing.random() * BASE_MS * 2 ** (attempt - 1)));
    onEvent?.({ type: "retrying", what: wanted.name, attempt: attempt + 1, reason, waitMs });
    await pacing.sleep(waitMs, wanted.signal);
  }
}

async function attemptOnce<T>(
  wanted: Download,
  http: Http,
  pacing: Pacing,
  take: (body: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<Outcome<T>> {
  try {
    const response = await follow(wanted, http);
    if (response.status === 200) return { kind: "done", value: await take(bounded(response, wanted)) };
    return await refusal(response, wanted, pacing);
  } catch (error) {
    wanted.signal.throwIfAborted();
    if (networkTrouble(error) === undefined || !(error instanceof Error)) throw error;
    return { kind: "failed", reason: "code" in error ? String(error.code) : error.message, cause: error };
  }
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
      throw new LambdaPackError(
        "REGISTRY_ANSWER",
        `${redactUrl(url)} redirects more than ${REDIRECTS} times`,
      );
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
      throw new LambdaPackError(
        "REGISTRY_ANSWER",
        `${name} from ${redactUrl(url)} is larger than ${limit} bytes`,
        {
          hint: "check the registry, or install with the package manager and build without --install",
        },
      );
    }
    yield chunk;
  }
}

const PASSING_STATUSES: readonly number[] = [408, 425, 429, 500, 502, 503, 504, 522];
const WORDS_LIMIT = 4096;

/** @throws the error of a status that stays. */
async function refusal(response: HttpResponse, wanted: Download, pacing: Pacing): Promise<Outcome<never>> {
  const { status } = response;
  if (PASSING_STATUSES.includes(status)) {
    response.discard();
    return {
      kind: "failed",
      reason: `HTTP ${status}`,
      waitMs: retryAfterMs(response.header("retry-after"), pacing.now()),
    };
  }
  const words = await response.text(WORDS_LIMIT).catch(() => "");
  throw refused(wanted, status, response.authorization !== undefined, printable(redactText(words), 200));
}

function refused({ name, url }: Download, status: number, wasShown: boolean, words: string): LambdaPackError {
  const { host } = url;
  const said = `${name}: ${redactUrl(url)} answered HTTP ${status}${words === "" ? "" : `, ${words}`}`;
  if (status === 401 || status === 403) {
    return new LambdaPackError(status === 401 ? "CREDENTIALS_INVALID" : "DENIED", said, {
      hint: wasShown
        ? `the credentials for ${host} were sent and refused: renew them`
        : `no credentials are configured for ${host}: log in there as the package manager does`,
    });
  }
  if (status === 404 || status === 410) {
    return new LambdaPackError("DEPENDENCY_UNAVAILABLE", said, {
      hint: `check that ${host} has this version, and that the registry is set as when the lock was written`,
    });
  }
  return new LambdaPackError("REGISTRY_ANSWER", said);
}

function givenUp({ name, url }: Download, attempts: number, reason: string, cause: unknown): LambdaPackError {
  const code = cause === undefined ? "REGISTRY_ANSWER" : "REGISTRY_UNREACHABLE";
  return new LambdaPackError(
    code,
    `cannot download ${name} from ${redactUrl(url)}: ${reason}, ${attempts} times in a row`,
    {
      hint: `check the network and HTTPS_PROXY, then run it again`,
      cause,
    },
  );
}

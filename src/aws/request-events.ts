import { pipeline, Readable, Transform } from "node:stream";
import type { ECRClient, ECRClientConfig } from "@aws-sdk/client-ecr";
import type { Pacing } from "../async/retry.ts";
import { LambdaPackError } from "../errors.ts";
import type { OnEvent } from "../events.ts";
import { redactUrl } from "../registry/errors/redact.ts";

/** The middleware stack of a client of the SDK. */
export type Observable = Pick<ECRClient["middlewareStack"], "add">;

/**
 * Emits one `request` event for each attempt of a client. Marks an error that occurs before the
 * first request as an error of the credentials, with the reasons in `notes`.
 */
export function reportRequests(stack: Observable, onEvent: OnEvent, notes: readonly string[]): void {
  const sent = new WeakSet<object>();
  stack.add(
    (next, context) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (error instanceof Error && !sent.has(context))
          Object.assign(error, { whileSigning: true, providerNotes: notes } satisfies CredentialContext);
        throw error;
      }
    },
    { step: "initialize", name: "lambdaPackCredentialErrors", priority: "high" },
  );
  stack.add(
    (next, context) => async (args) => {
      sent.add(context);
      const startedAt = performance.now();
      const emit = (status: number) => {
        const ms = Math.round(performance.now() - startedAt);
        onEvent({ type: "request", ...requestOf(args.request), status, ms });
      };
      try {
        const result = await next(args);
        emit(statusOf(result.response));
        return result;
      } catch (error) {
        emit(error instanceof Error && "$response" in error ? statusOf(error.$response) : 0);
        const operation = String(context["commandName"]).replace(/Command$/, "");
        throw Object.assign(Object(error), { operation } satisfies FailedAttempt);
      }
    },
    { step: "deserialize", name: "lambdaPackRequestEvents", priority: "high" },
  );
}

/** In bytes. A page of the longest list is far smaller; a function's answer is at most 6 MB. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/**
 * Makes an answer fail that is larger than any of AWS's, before it fills the memory, or whose body
 * takes longer than `answerMs`: the SDK's own timeout covers only the headers.
 */
export function limitAnswers(stack: Observable, answerMs: number): void {
  stack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as { body?: unknown } | undefined;
      if (response?.body instanceof Readable) response.body = limited(response.body, answerMs);
      return result;
    },
    { step: "deserialize", name: "lambdaPackAnswerLimit", priority: "low" },
  );
}

function limited(body: Readable, answerMs: number): Readable {
  let left = MAX_ANSWER_BYTES;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length;
      done(left < 0 ? tooLarge() : null, chunk);
    },
  });
  // The SDK retries errors of this name.
  const late = Object.assign(new Error(`no whole answer within ${answerMs} ms`), { name: "TimeoutError" });
  const timer = setTimeout(() => counter.destroy(late), answerMs);
  counter.once("close", () => clearTimeout(timer));
  // An error of either end reaches the reader through `counter`.
  return pipeline(body, counter, () => undefined);
}

function tooLarge(): LambdaPackError {
  return new LambdaPackError("REGISTRY_ANSWER", `an answer of AWS is larger than ${MAX_ANSWER_BYTES} bytes`, {
    hint: "look for a proxy or an emulator on the way: AWS_ENDPOINT_URL, HTTPS_PROXY (--verbose shows the requests)",
  });
}

function requestOf(request: unknown): { readonly method: string; readonly url: string } {
  const parts = request as Partial<Record<string, string>>;
  const { method = "POST", protocol = "https:", hostname = "", port, path = "/" } = parts;
  return { method, url: redactUrl(`${protocol}//${hostname}${port ? `:${port}` : ""}${path}`) };
}

function statusOf(response: unknown): number {
  const { statusCode } = (response ?? {}) as { readonly statusCode?: unknown };
  return typeof statusCode === "number" ? statusCode : 0;
}

/** Matches the reasons of providers that are not configured. */
const USELESS =
  /skipping|^Web identity configuration not specified|IMDS|Instance Metadata|Metadata Service|from any providers|could not be found in parsed|container metadata/i;

/**
 * Returns a `debug` function for the SDK's logger that records why credential providers failed. The
 * SDK drops these reasons if the last provider of its chain fails as well.
 */
export function noteCredentials(notes: string[]): (...content: readonly unknown[]) => void {
  return (first) => {
    const [, reason] = /^@smithy\/property-provider (?:->|\(!\)) (.*)/s.exec(String(first)) ?? [];
    if (reason !== undefined && !USELESS.test(reason) && !notes.includes(reason)) notes.push(reason);
  };
}

/** What {@link reportRequests} adds to an error of the SDK. */
export interface CredentialContext {
  /** Whether the error occurred while credentials were fetched, before the request was sent. */
  readonly whileSigning?: boolean;
  /** The messages of credential providers that failed. */
  readonly providerNotes?: readonly string[];
}

/** How a client of the SDK retries. */
type RetryStrategy = Extract<
  NonNullable<ECRClientConfig["retryStrategy"]>,
  { refreshRetryTokenForRetry: unknown }
>;

/**
 * Lambda allows 15 control plane requests a second per account; in a busy account throttling can
 * last for tens of seconds.
 */
const ATTEMPTS = 8;
const BASE_MS = 250;
const LONGEST_MS = 8_000;

/** Errors that persist until the user corrects something, although the SDK would retry them. */
const PERMANENT =
  /^(?:KMS|Invalid(?!Signature)|LimitExceeded|EC2AccessDenied|ENILimitReached|SubnetIPAddressLimitReached)/;

/**
 * Returns a strategy with which the SDK attempts throttled and transient requests up to 8 times,
 * with waits that double up to 8 s. Each retry emits a `retrying` event.
 */
export function retryStrategy(pacing: Pacing, onEvent: OnEvent): RetryStrategy {
  return {
    acquireInitialRetryToken: async () => tokenAfter(0),
    async refreshRetryTokenForRetry(token, { error, errorType }) {
      const failed = token.getRetryCount() + 1;
      const mayPass = errorType === "THROTTLING" || errorType === "TRANSIENT";
      if (!error || !mayPass || failed >= ATTEMPTS || PERMANENT.test(error.name)) throw error;
      const longestMs = Math.min(LONGEST_MS, BASE_MS * 2 ** (failed - 1));
      const waitMs = Math.round((0.5 + pacing.random() / 2) * longestMs);
      const { operation = "sign the request" } = error as FailedAttempt;
      onEvent({ type: "retrying", what: operation, attempt: failed + 1, waitMs, reason: reasonOf(error) });
      await pacing.sleep(waitMs); // the SDK stops waiting when the call is aborted
      return tokenAfter(failed);
    },
    recordSuccess: () => undefined,
  };
}

/** An error of one attempt of a request. */
export interface FailedAttempt {
  /** Operation of AWS's API: `GetFunction`. */
  readonly operation?: string;
}

function tokenAfter(failed: number) {
  return { getRetryCount: () => failed, getRetryDelay: () => 0, getRetryCost: () => 0 };
}

function reasonOf(error: {
  readonly name: string;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean };
}): string {
  const { name, code, $metadata: { httpStatusCode: status, clockSkewCorrected } = {} } = error;
  if (clockSkewCorrected) return "the clock differs";
  if (name === "TimeoutError") return "no answer in time";
  if (status !== undefined) return status >= 500 ? `HTTP ${status}` : name;
  return typeof code === "string" ? code : name;
}

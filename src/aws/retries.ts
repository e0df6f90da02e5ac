import type { ECRClientConfig } from "@aws-sdk/client-ecr";
import type { Pacing } from "../async/pacing.ts";
import type { OnEvent } from "../events.ts";

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

import type { Pacing } from "../async/pacing.ts";
import type { OnEvent } from "../events.ts";

/** A deploy in a busy account meets throttling for tens of seconds: Lambda gives all callers of an account 15 control calls a second. */
const ATTEMPTS = 8;
const BASE_MS = 250;
const LONGEST_MS = 8_000;

export interface Attempts {
  readonly pacing: Pacing;
  readonly onEvent?: OnEvent | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** `attempt` until it succeeds or fails for good. Every call made through this may safely be made twice. */
export async function retrying<T>(
  what: string,
  attempt: () => Promise<T>,
  { pacing, onEvent, signal }: Attempts,
): Promise<T> {
  for (let count = 1; ; count += 1) {
    try {
      signal?.throwIfAborted();
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      const reason = passing(error);
      if (reason === undefined || count >= ATTEMPTS) throw error;
      const waitMs = Math.round(
        (0.5 + pacing.random() / 2) * Math.min(LONGEST_MS, BASE_MS * 2 ** (count - 1)),
      );
      onEvent?.({ type: "retrying", what, attempt: count + 1, waitMs, reason });
      await pacing.sleep(waitMs, signal);
    }
  }
}

const THROTTLED =
  /^(?:TooManyRequestsException|Throttling(?:Exception)?|ThrottledException|RequestLimitExceeded|SlowDown)$/;

/** Lambda says with 502 what stays so until somebody corrects it. */
const FINAL = /^(?:KMS|Invalid|EC2AccessDenied|ENILimitReached|SubnetIPAddressLimitReached)/;

/** Why it may go better the next time; undefined where it will not. */
function passing(error: unknown): string | undefined {
  const { name, code, $metadata } = error as {
    readonly name?: unknown;
    readonly code?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean };
  };
  const status = $metadata?.httpStatusCode;
  if (THROTTLED.test(String(name)) || status === 429) return String(name);
  // The SDK has set its clock by the server's answer, and signs rightly from now on.
  if ($metadata?.clockSkewCorrected) return "the clock differs";
  if (status !== undefined) return status >= 500 && !FINAL.test(String(name)) ? `HTTP ${status}` : undefined;
  if (name === "TimeoutError") return "no answer in time";
  return typeof code === "string" && /^(?:ECONNRESET|EPIPE|ETIMEDOUT|EAI_AGAIN|ECONNREFUSED)$/.test(code)
    ? code
    : undefined;
}

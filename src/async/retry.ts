import type { Pacing } from "./pacing.ts";

/** A failed attempt that is about to be repeated. */
export interface Retry {
  readonly error: unknown;
  /** Number of the attempt that follows; the first retry is attempt 2. */
  readonly attempt: number;
  readonly waitMs: number;
}

export interface RetryPolicy {
  readonly pacing: Pacing;
  readonly signal?: AbortSignal | undefined;
  /**
   * Returns the milliseconds to wait after `attempt` failed with `error`, or undefined to give up.
   * May throw another error instead.
   */
  readonly delayAfter: (error: unknown, attempt: number) => number | undefined;
  /** Called before each wait. */
  readonly onRetry?: (retry: Retry) => void;
}

/**
 * Calls `work` until it succeeds or the policy gives up. The error of the last attempt is thrown as
 * it is: its class and its code decide what callers do next.
 * @throws the signal's reason, when it aborts while waiting.
 */
export async function retry<T>(
  work: (attempt: number) => Promise<T>,
  { pacing, signal, delayAfter, onRetry }: RetryPolicy,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      signal?.throwIfAborted();
      const waitMs = delayAfter(error, attempt);
      if (waitMs === undefined) throw error;
      onRetry?.({ error, attempt: attempt + 1, waitMs });
      if (waitMs > 0) await pacing.sleep(waitMs, signal);
    }
  }
}

import { setTimeout as sleep } from "node:timers/promises";

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

/** The clock and the source of random numbers, as a parameter that tests can replace. */
export interface Pacing {
  /** Returns epoch milliseconds that never decrease within a process. */
  now(): number;
  /** Rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Returns a number from 0 up to but not including 1. */
  random(): number;
}

export const REAL_PACING: Pacing = {
  now: () => performance.timeOrigin + performance.now(),
  async sleep(ms, signal) {
    try {
      await sleep(ms, undefined, { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
  random: Math.random,
};

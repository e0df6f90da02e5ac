import { setTimeout as sleep } from "node:timers/promises";

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

import { setTimeout as sleep } from "node:timers/promises";

/** The clock and the source of random numbers. A parameter, so that tests need neither. */
export interface Pacing {
  /** Milliseconds since 1970 that never run backwards within a process. */
  now(): number;
  /** Rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** 0 up to, not including, 1. */
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

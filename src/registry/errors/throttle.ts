import { onAbort } from "../../async/abortable.ts";
import type { Pacing } from "../../async/retry.ts";

/**
 * Limits the requests to one host. There is no limit until the host says "too many": then half as
 * many requests run at once, all of them pause, and every full round of successes raises the limit
 * by one (additive increase, multiplicative decrease).
 */
export interface Throttle {
  /** Waits until a request may start. Call the returned function when the request has ended. */
  enter(signal?: AbortSignal): Promise<(succeeded: boolean) => void>;
  /** Records that the host asked for fewer requests: nothing starts for `pauseMs`. */
  slowDown(pauseMs: number): void;
  /** How many requests may run at once now. */
  readonly limit: number;
}

/**
 * Refusals within this time count as one, because their requests ran at the same time (ocync also
 * halves once per 100 ms).
 */
const EPOCH_MS = 100;
/** More than any push runs at once: from here on there is no limit again. */
const FREE = 64;

export function createThrottle(pacing: Pacing): Throttle {
  let limit = Number.POSITIVE_INFINITY;
  let active = 0;
  let successes = 0;
  let pausedUntil = 0;
  let slowedAt = Number.NEGATIVE_INFINITY;
  const queue: (() => void)[] = [];

  const wake = () => {
    while (queue.length > 0 && active < limit) {
      active += 1;
      queue.shift()?.();
    }
  };
  const leave = (): void => {
    active -= 1;
    wake();
  };
  async function pause(signal: AbortSignal | undefined): Promise<void> {
    for (let left = pausedUntil - pacing.now(); left > 0; left = pausedUntil - pacing.now()) {
      await pacing.sleep(left, signal);
    }
  }

  const succeeded = () => {
    successes += 1;
    if (successes < limit) return;
    successes = 0;
    limit = limit >= FREE ? Number.POSITIVE_INFINITY : limit + 1;
    wake();
  };

  return {
    get limit() {
      return limit;
    },
    async enter(signal) {
      signal?.throwIfAborted();
      if (active < limit) active += 1;
      else await queued(queue, signal);
      try {
        await pause(signal);
      } catch (error) {
        leave();
        throw error;
      }
      return (hasSucceeded) => {
        if (hasSucceeded) succeeded();
        leave();
      };
    },
    slowDown(pauseMs) {
      const now = pacing.now();
      pausedUntil = Math.max(pausedUntil, now + pauseMs);
      if (now - slowedAt < EPOCH_MS) return;
      slowedAt = now;
      successes = 0;
      limit = Math.max(1, Math.floor(Math.min(limit, Math.max(active, 2)) / 2));
    },
  };
}

/** Waits for a turn, and leaves the queue when the signal aborts. */
function queued(queue: (() => void)[], signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    let release = () => {};
    const enter = () => {
      release();
      resolve();
    };
    queue.push(enter);
    release = onAbort(signal, () => {
      const place = queue.indexOf(enter);
      if (place >= 0) queue.splice(place, 1);
      reject(signal?.reason);
    });
  });
}

/** Returns the throttle of a host, which the repositories of one run share. */
export type Throttles = (host: string) => Throttle;

/**
 * Returns the throttles of one run. Runs in the same process do not share them: one run's wait would
 * use up the patience of another.
 */
export function createThrottles(pacing: Pacing): Throttles {
  const hosts = new Map<string, Throttle>();
  return (host) => {
    const throttle = hosts.get(host) ?? createThrottle(pacing);
    hosts.set(host, throttle);
    return throttle;
  };
}

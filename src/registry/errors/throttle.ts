import { onAbort } from "../../async/abortable.ts";
import type { Pacing } from "../../async/retry.ts";

/**
 * Refusals within this time count as one, because their requests ran at the same time (ocync also
 * halves once per 100 ms).
 */
const EPOCH_MS = 100;
/** More than any push runs at once: from here on there is no limit again. */
const FREE = 64;

/**
 * Limits the requests to one host. There is no limit until the host says "too many": then half as
 * many requests run at once, all of them pause, and every full round of successes raises the limit
 * by one (additive increase, multiplicative decrease).
 */
export class Throttle {
  readonly #pacing: Pacing;
  #limit = Number.POSITIVE_INFINITY;
  #active = 0;
  #successes = 0;
  #pausedUntil = 0;
  #slowedAt = Number.NEGATIVE_INFINITY;
  readonly #queue: (() => void)[] = [];

  constructor(pacing: Pacing) {
    this.#pacing = pacing;
  }

  /** How many requests may run at once now. */
  get limit(): number {
    return this.#limit;
  }

  /** Waits until a request may start. Call the returned function when the request has ended. */
  async enter(signal?: AbortSignal): Promise<(succeeded: boolean) => void> {
    signal?.throwIfAborted();
    if (this.#active < this.#limit) this.#active += 1;
    else await queued(this.#queue, signal);
    try {
      await this.#pause(signal);
    } catch (error) {
      this.#leave(false);
      throw error;
    }
    return (succeeded) => this.#leave(succeeded);
  }

  /** Records that the host asked for fewer requests: nothing starts for `pauseMs`. */
  slowDown(pauseMs: number): void {
    const now = this.#pacing.now();
    this.#pausedUntil = Math.max(this.#pausedUntil, now + pauseMs);
    if (now - this.#slowedAt < EPOCH_MS) return;
    this.#slowedAt = now;
    this.#successes = 0;
    this.#limit = Math.max(1, Math.floor(Math.min(this.#limit, Math.max(this.#active, 2)) / 2));
  }

  async #pause(signal: AbortSignal | undefined): Promise<void> {
    const left = () => this.#pausedUntil - this.#pacing.now();
    while (left() > 0) await this.#pacing.sleep(left(), signal);
  }

  #leave(succeeded: boolean): void {
    if (succeeded) this.#successes += 1;
    if (this.#successes >= this.#limit) {
      this.#successes = 0;
      this.#limit = this.#limit >= FREE ? Number.POSITIVE_INFINITY : this.#limit + 1;
    }
    this.#active -= 1;
    while (this.#queue.length > 0 && this.#active < this.#limit) {
      this.#active += 1;
      this.#queue.shift()?.();
    }
  }
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
    const throttle = hosts.get(host) ?? new Throttle(pacing);
    hosts.set(host, throttle);
    return throttle;
  };
}

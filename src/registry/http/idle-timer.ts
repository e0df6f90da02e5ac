import type { OnEvent } from "../../events.ts";

/**
 * Limits on silence, in milliseconds. None applies to a whole transfer: a large blob on a slow
 * connection is not an error.
 */
export interface Timeouts {
  /** Name resolution, TCP and TLS. */
  readonly connectMs: number;
  /** From the last byte of the request to the headers of the answer. */
  readonly answerMs: number;
  /**
   * Like {@link Timeouts.answerMs}, for requests that the registry processes before it answers: a
   * closing PUT, a manifest.
   */
  readonly commitMs: number;
  /** The time in which {@link MIN_PROGRESS} bytes must be sent or received. */
  readonly stallMs: number;
  /** The interval at which a silence is reported. */
  readonly noticeMs: number;
}

const MINUTE = 60_000;

/**
 * The limits are minutes because a cache may fetch a layer first, or a store hash it
 * (moby/moby#53700, sonatype/nexus-public#284).
 */
export const TIMEOUTS: Timeouts = {
  connectMs: 10_000,
  answerMs: 2 * MINUTE,
  commitMs: 10 * MINUTE,
  stallMs: 2 * MINUTE,
  noticeMs: 15_000,
};

/**
 * Returns the limits for `--registry-timeout`: `ms` for an answer and a stall. A commit keeps its
 * limit if that is longer; a connection gets a minute if `ms` is above the default.
 */
export function timeoutsFor(ms: number): Timeouts {
  const { connectMs, commitMs, answerMs } = TIMEOUTS;
  return {
    ...TIMEOUTS,
    connectMs: ms > answerMs ? MINUTE : connectMs,
    answerMs: ms,
    commitMs: Math.max(commitMs, ms),
    stallMs: ms,
  };
}

/**
 * A connection that moves fewer bytes than this within the limit counts as silent, even if a byte
 * arrives now and then.
 */
export const MIN_PROGRESS: number = 16 * 1024;

export interface IdleTimerOptions {
  /** Called at most once for each phase, with an error of code ETIMEDOUT. */
  readonly onExpired: (error: Error) => void;
  readonly onEvent: OnEvent | undefined;
  readonly noticeMs: number;
}

/** A timer for the phases of one exchange, one after the other. */
export class IdleTimer {
  readonly #options: IdleTimerOptions;
  #timer: NodeJS.Timeout | undefined;
  #late: NodeJS.Immediate | undefined;
  #hasEnded = false;

  constructor(options: IdleTimerOptions) {
    this.#options = options;
  }

  /**
   * Ends the previous phase and starts one of at most `ms` milliseconds. The error's message starts
   * with `what`.
   */
  start(what: string, ms: number): void {
    this.stop();
    if (!this.#hasEnded) this.#wait(what, ms, 0);
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#late);
  }

  /** Stops for good: a later start has no effect. */
  end(): void {
    this.#hasEnded = true;
    this.stop();
  }

  #wait(what: string, ms: number, silentMs: number): void {
    const { onExpired, onEvent, noticeMs } = this.#options;
    const now = silentMs + Math.min(noticeMs, ms - silentMs);
    const act = () => {
      if (now >= ms) return onExpired(timeout(what, ms));
      onEvent?.({ type: "waiting", what, silentMs: now, leftMs: Math.round(ms - now) });
      this.#wait(what, ms, now);
    };
    // After a long computation, timers run before bytes that have arrived are read. Read those first.
    this.#timer = setTimeout(() => {
      this.#late = setImmediate(act);
    }, now - silentMs);
  }
}

function timeout(what: string, ms: number): Error {
  const seconds = ms < 1000 ? ms / 1000 : Math.round(ms / 1000);
  return Object.assign(new Error(`${what} within ${seconds} s`), { code: "ETIMEDOUT" });
}

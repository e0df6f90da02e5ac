import type { OnEvent } from "../../events.ts";

/**
 * Limits on silence in milliseconds. None is on a whole transfer: a large blob on a slow line is no
 * error.
 */
export interface Timeouts {
  /** Name resolution, TCP and TLS. */
  readonly connectMs: number;
  /** From the last byte of the request to the headers of the answer. */
  readonly answerMs: number;
  /**
   * As {@link Timeouts.answerMs} where the registry first processes what it received: a closing
   * PUT, a manifest.
   */
  readonly commitMs: number;
  /** Without {@link LEAST_PROGRESS} bytes moving, while sending or receiving. */
  readonly stallMs: number;
  /** A silence is told each time it has lasted this long again. */
  readonly noticeMs: number;
}

const MINUTE = 60_000;

/**
 * A cache that fetches a layer first, or a store that hashes it, takes minutes (moby/moby#53700,
 * sonatype/nexus-public#284).
 */
export const TIMEOUTS: Timeouts = {
  connectMs: 10_000,
  answerMs: 2 * MINUTE,
  commitMs: 10 * MINUTE,
  stallMs: 2 * MINUTE,
  noticeMs: 20_000,
};

/**
 * Returns the limits for `--timeout`: `ms` for every silence. The longer wait for a commit stays,
 * and more than the default gives a connection a minute.
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
 * A line that moves fewer bytes than this within the limit counts as silent, so one byte now and
 * then ends too.
 */
export const LEAST_PROGRESS: number = 16 * 1024;

/** One timer for the phases of an exchange, which follow one another. */
export interface IdleTimer {
  /** Ends the phase before, and gives the peer `ms` from now for `what`, which the error names. */
  start(what: string, ms: number): void;
  stop(): void;
}

export interface IdleTimerOptions {
  /** Called at most once for each phase, with an error of code ETIMEDOUT. */
  readonly onExpired: (error: Error) => void;
  readonly onEvent: OnEvent | undefined;
  readonly noticeMs: number;
}

export function createIdleTimer({ onExpired, onEvent, noticeMs }: IdleTimerOptions): IdleTimer {
  let timer: NodeJS.Timeout | undefined;
  let late: NodeJS.Immediate | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    clearImmediate(late);
  };
  const wait = (what: string, ms: number, silentMs: number): void => {
    const step = Math.min(noticeMs, ms - silentMs);
    timer = setTimeout(() => {
      // After a long computation, timers run before the bytes that have arrived are read: those
      // come first.
      late = setImmediate(() => {
        const now = silentMs + step;
        if (now >= ms) return onExpired(timeout(what, ms));
        onEvent?.({ type: "waiting", what, silentMs: now, leftMs: Math.round(ms - now) });
        wait(what, ms, now);
      });
    }, step);
  };
  return {
    stop,
    start(what, ms) {
      stop();
      wait(what, ms, 0);
    },
  };
}

function timeout(what: string, ms: number): Error {
  const seconds = ms < 1000 ? ms / 1000 : Math.round(ms / 1000);
  return Object.assign(new Error(`${what} within ${seconds} s`), { code: "ETIMEDOUT" });
}

/** Limits on silence in milliseconds. None is on a whole transfer: a large blob on a slow line is no error. */
export interface Timeouts {
  /** Name resolution, TCP and TLS. */
  readonly connectMs: number;
  /** From the last byte of the request to the headers of the answer. */
  readonly answerMs: number;
  /** As {@link Timeouts.answerMs} where the registry first processes what it received: a closing PUT, a manifest. */
  readonly commitMs: number;
  /** Without {@link LEAST_PROGRESS} bytes moving, while sending or receiving. */
  readonly stallMs: number;
}

const MINUTE = 60_000;

/** A cache that fetches a layer first, or a store that hashes it, takes minutes (moby/moby#53700, sonatype/nexus-public#284). */
export const TIMEOUTS: Timeouts = {
  connectMs: 10_000,
  answerMs: 2 * MINUTE,
  commitMs: 10 * MINUTE,
  stallMs: 2 * MINUTE,
};

/** Returns the limits for `--timeout`: `ms` for every silence; a longer default wait for a commit stays. */
export function timeoutsFor(ms: number): Timeouts {
  const { connectMs, commitMs } = TIMEOUTS;
  return {
    connectMs: Math.max(connectMs, Math.min(ms, MINUTE)),
    answerMs: ms,
    commitMs: Math.max(commitMs, ms),
    stallMs: ms,
  };
}

/** A line that moves fewer bytes than this within the limit counts as silent, so one byte now and then ends too. */
export const LEAST_PROGRESS: number = 16 * 1024;

/** One timer for the phases of an exchange, which follow one another. */
export interface IdleTimer {
  /** Ends the phase before, and gives the peer `ms` from now for `what`, which the error names. */
  start(what: string, ms: number): void;
  stop(): void;
}

/** Creates a timer that calls `onExpired` at most once for each phase, with an error of code ETIMEDOUT. */
export function createIdleTimer(onExpired: (error: Error) => void): IdleTimer {
  let timer: NodeJS.Timeout | undefined;
  let late: NodeJS.Immediate | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    clearImmediate(late);
  };
  return {
    stop,
    start(what, ms) {
      stop();
      // After a long computation, timers run before the bytes that have arrived are read: those come first.
      timer = setTimeout(() => {
        late = setImmediate(() => onExpired(timeout(what, ms)));
      }, ms);
    },
  };
}

function timeout(what: string, ms: number): Error {
  const seconds = ms < 1000 ? ms / 1000 : Math.round(ms / 1000);
  return Object.assign(new Error(`${what} within ${seconds} s`), { code: "ETIMEDOUT" });
}

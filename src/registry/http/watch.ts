/** Idle limits in milliseconds; there is no total one, for a large blob on a slow line is not an error. */
export interface Timeouts {
  /** Name resolution, TCP and TLS. */
  readonly connectMs: number;
  /** From the last byte of the request to the headers of the answer. */
  readonly answerMs: number;
  /** Without a byte moving, while sending or receiving. */
  readonly stallMs: number;
}

export const TIMEOUTS: Timeouts = { connectMs: 10_000, answerMs: 30_000, stallMs: 30_000 };

/** One timer that is moved from phase to phase. */
export interface Watch {
  /** Forgets what was watched, and gives the peer `ms` from now. */
  expect(what: string, ms: number): void;
  /** Gives what is expected its time anew; nothing where nothing is expected. */
  readonly again: () => void;
  rest(): void;
}

/** `expired` is called at most once, with an error whose code is ETIMEDOUT. */
export function createWatch(expired: (error: Error) => void): Watch {
  let timer: NodeJS.Timeout | undefined;
  let late: NodeJS.Immediate | undefined;
  const rest = (): void => {
    clearTimeout(timer);
    clearImmediate(late);
    timer = undefined;
  };
  const again = (): void => {
    clearImmediate(late);
    timer?.refresh();
  };
  const expect = (what: string, ms: number): void => {
    rest();
    // After a long computation of ours, timers run before the bytes that have arrived are read: let those come first.
    timer = setTimeout(() => {
      late = setImmediate(() => expired(timeout(what, ms)));
    }, ms);
  };
  return { expect, again, rest };
}

export function timeout(what: string, ms: number): Error {
  return Object.assign(new Error(`${what} within ${ms / 1000} s`), { code: "ETIMEDOUT" });
}

import pLimit from "p-limit";
import { derivedSignal } from "./abortable.ts";

/**
 * Runs tasks together, each with the signal that `start` is given. At the first failure that signal
 * aborts; all tasks have ended when this returns or throws, so no work goes on after an error.
 * @throws the first failure.
 */
export async function allOrAbort<T extends readonly Promise<unknown>[] | []>(
  outer: AbortSignal,
  start: (signal: AbortSignal) => T,
): Promise<{ -readonly [Each in keyof T]: Awaited<T[Each]> }> {
  const stop = new AbortController();
  const tasks = start(derivedSignal(outer, stop.signal));
  try {
    return await Promise.all(tasks);
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(tasks);
    throw error;
  }
}

/** Runs a task when fewer than the limit are running, in the order in which tasks were given. */
export type Limiter = <R>(task: () => Promise<R>) => Promise<R>;

/** Creates a limiter that runs at most `limit` tasks at once. */
export function createLimiter(limit: number): Limiter {
  return pLimit(limit);
}

interface MapConcurrentOptions {
  /** How many items are worked on at once. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls `work` for every item, in their order, at most `limit` at once, and returns the results in
 * that order. After a failure or an abort no further item is started, the signal that `work`
 * received is aborted, and all running work has ended when this throws.
 */
export async function mapConcurrent<T, R>(
  items: readonly T[],
  { limit, signal = new AbortController().signal }: MapConcurrentOptions,
  work: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<readonly R[]> {
  const run = createLimiter(limit);
  const failure = new AbortController();
  return allOrAbort(derivedSignal(signal, failure.signal), (inner) =>
    items.map((item) =>
      run(async () => {
        inner.throwIfAborted();
        return work(item, inner).catch((error: unknown) => {
          failure.abort(error); // before the limiter begins the next item
          throw error;
        });
      }),
    ),
  );
}

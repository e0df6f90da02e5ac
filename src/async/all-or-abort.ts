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

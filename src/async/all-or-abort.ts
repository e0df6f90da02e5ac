/** All of them or none: at the first failure the rest is aborted and awaited, so that nothing goes on behind an error. */
export async function together<T extends readonly Promise<unknown>[] | []>(
  outer: AbortSignal,
  start: (signal: AbortSignal) => T,
): Promise<{ -readonly [Each in keyof T]: Awaited<T[Each]> }> {
  const stop = new AbortController();
  const tasks = start(AbortSignal.any([outer, stop.signal]));
  try {
    return await Promise.all(tasks);
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(tasks);
    throw error;
  }
}

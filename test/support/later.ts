/** Does `work` with a clock that is `ms` milliseconds ahead. */
export async function later<T>(ms: number, work: () => Promise<T>): Promise<T> {
  const now = Date.now;
  Date.now = () => now() + ms;
  try {
    return await work();
  } finally {
    Date.now = now;
  }
}

/** Does `work` a minute later: the times of files just written then prove that they are unchanged. */
export function aMinuteLater<T>(work: () => Promise<T>): Promise<T> {
  return later(60_000, work);
}

/** Does `work` as if it were a minute later: the times of files written just now then prove that nobody has touched them. */
export async function aMinuteLater<T>(work: () => Promise<T>): Promise<T> {
  const now = Date.now;
  Date.now = () => now() + 60_000;
  try {
    return await work();
  } finally {
    Date.now = now;
  }
}

/**
 * `work` on every item, `lanes` of them at once, begun in their order; the results are in that order, too. After a failure nothing new is begun, and
 * what is under way has ended when this throws.
 */
export async function inLanes<T, R>(
  items: readonly T[],
  lanes: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Map<number, R>();
  const queue = entriesOf(items);
  const lane = async () => {
    for (const [index, item] of queue) results.set(index, await work(item));
  };
  const ended = await Promise.allSettled(Array.from({ length: lanes }, lane));
  for (const one of ended) if (one.status === "rejected") throw one.reason;
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
}

/** A generator ends for all lanes when one of them leaves its loop; an array's own iterator would not. */
function* entriesOf<T>(items: readonly T[]): Generator<[number, T]> {
  yield* items.entries();
}

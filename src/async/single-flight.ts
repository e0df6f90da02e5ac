/** Work that is done once for all who ask for it at the same time. */
export interface Flights<T> {
  /**
   * Starts `work`, or waits for the one under way for this key. Everyone gets its result or its error;
   * but who waits for a work whose own starter gave it up starts it anew.
   */
  join(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

interface Flight<T> {
  readonly result: Promise<T>;
  readonly signal: AbortSignal | undefined;
}

export function createFlights<T>(): Flights<T> {
  const flights = new Map<string, Flight<T>>();
  const start = (key: string, work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
    const result = work().finally(() => flights.delete(key));
    flights.set(key, { result, signal });
    return result;
  };
  const join: Flights<T>["join"] = async (key, work, signal) => {
    signal?.throwIfAborted();
    const other = flights.get(key);
    if (!other) return start(key, work, signal);
    try {
      return await orAborted(other.result, signal);
    } catch (error) {
      const wasGivenUp = other.signal?.aborted === true && signal?.aborted !== true;
      if (wasGivenUp) return join(key, work, signal);
      throw error;
    }
  };
  return { join };
}

/** The result, or the signal's reason as soon as there is one. */
async function orAborted<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return result;
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([result, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

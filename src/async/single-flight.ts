import { abortable } from "./abortable.ts";

/**
 * Starts `work`, or waits for the work that is running for the same key; every caller gets its
 * result or its error. A caller whose signal aborts stops waiting at once. If the caller that
 * started the work has aborted, the next one starts it again.
 */
type SingleFlight<T> = (key: string, work: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

interface Flight<T> {
  readonly result: Promise<T>;
  readonly signal: AbortSignal | undefined;
}

/** Creates a {@link SingleFlight}. It does not cache results. */
export function createSingleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Flight<T>>();
  const start = (key: string, work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
    const result = work().finally(() => flights.delete(key));
    flights.set(key, { result, signal });
    return result;
  };
  const join: SingleFlight<T> = async (key, work, signal) => {
    signal?.throwIfAborted();
    const other = flights.get(key);
    if (!other) return start(key, work, signal);
    try {
      return await abortable(other.result, signal);
    } catch (error) {
      const wasGivenUp = other.signal?.aborted === true && signal?.aborted !== true;
      if (wasGivenUp) return join(key, work, signal);
      throw error;
    }
  };
  return join;
}

/** Creates a function that calls `load` on its first call and then returns the same promise. */
export function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () => {
    loading ??= load();
    return loading;
  };
}

/**
 * Returns the promise that `promises` has for `key`, or adds that of `load`. A promise that rejects
 * is removed, so that the next call loads again.
 */
export function loadOnce<K, T>(
  promises: Pick<Map<K, Promise<T>>, "get" | "delete"> & { set(key: K, promise: Promise<T>): unknown },
  key: K,
  load: () => Promise<T>,
): Promise<T> {
  const known = promises.get(key);
  if (known) return known;
  const loading = load();
  promises.set(key, loading);
  loading.catch(() => promises.delete(key));
  return loading;
}

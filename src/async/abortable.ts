import { setMaxListeners } from "node:events";

/**
 * Returns a signal that aborts when any of `signals` does. It has no limit on listeners, so any
 * number of requests may use it without a warning; the signals of a caller keep their limit.
 */
export function derivedSignal(...signals: readonly AbortSignal[]): AbortSignal {
  const derived = AbortSignal.any([...signals]);
  setMaxListeners(0, derived);
  return derived;
}

/** Calls `act` when the signal aborts, or now if it has. The returned function stops listening. */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (!signal) return () => {};
  signal.addEventListener("abort", act);
  if (signal.aborted) act();
  return () => signal.removeEventListener("abort", act);
}

/**
 * Settles as `work` does, or rejects with the signal's reason as soon as that aborts. The work is
 * not stopped: other callers may still wait for it.
 */
export function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const release = onAbort(signal, () => reject(signal?.reason));
    work.then(resolve, reject).finally(release);
  });
}

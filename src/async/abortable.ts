import { setMaxListeners } from "node:events";

/** Calls `act` when the signal aborts, or now if it has; returns how to stop listening. */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (!signal) return () => {};
  // One signal ends a whole push: as many listen as there are requests in flight, which is no leak.
  setMaxListeners(0, signal);
  signal.addEventListener("abort", act);
  if (signal.aborted) act();
  return () => signal.removeEventListener("abort", act);
}

/** The outcome of `work`, or at once the signal's reason when it aborts. The work goes on for the others who wait for it. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const release = onAbort(signal, () => reject(signal?.reason));
    work.then(resolve, reject).finally(release);
  });
}

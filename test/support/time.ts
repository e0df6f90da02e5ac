import { setTimeout as sleep } from "node:timers/promises";

/** Longer than a busy machine needs. */
const LIMIT_MS = 120_000;

/** Waits until `isTrue` returns true. Throws an error that names `what` after two minutes. */
export async function until(isTrue: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error(`not within ${LIMIT_MS} ms: ${what}`);
    await sleep(10);
  }
}

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

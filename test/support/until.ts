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

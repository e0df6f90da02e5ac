import { utimesSync } from "node:fs";

/**
 * Gives a file the time of its last use, by the clock of this program, to the millisecond. Sessions and blobs are compared by it, and all have it from here:
 * file systems are often mounted without times of access, and their own times are finer than ours or those of a server's clock,
 * so that what was used in the millisecond in which a session began would seem older than the session.
 */
export function stamp(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {} // it is gone, or another user's
}

import { pidScope, readPidScopeFacts } from "../../src/blobs/partial.ts";

/** A process id that no process has: the largest that Linux allows, plus one. */
export const DEAD_PID = 4_194_305;

/** The name of what a process of this machine left unfinished. */
export function leftBy(pid: number, stem: string): string {
  return leftIn(pidScope(readPidScopeFacts()), pid, stem);
}

/** The same for a process of another PID namespace, machine or boot, which has this scope. */
export function leftIn(scope: string, pid: number, stem: string): string {
  return `${stem}.${scope}-${pid}-0123456789ab.partial`;
}

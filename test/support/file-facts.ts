import { readdirSync } from "node:fs";
import { pidScope, readPidScopeFacts } from "../../src/blobs/pid-scope.ts";
import { type ErrorCode, LambdaPackError } from "../../src/errors.ts";

/** Every path below a directory, sorted. */
export function pathsIn(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" }).sort();
}

/** For `assert.rejects`: the code, and what the message has to say. */
export function failsWith(code: ErrorCode, words: RegExp = /./): (error: unknown) => boolean {
  return (error) => {
    if (error instanceof LambdaPackError && error.code === code && words.test(error.message)) return true;
    throw error;
  };
}

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

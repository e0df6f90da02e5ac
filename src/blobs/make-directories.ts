import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { hasCode } from "../errors.ts";

/**
 * Creates a directory and its parents. Node's own recursive mkdir never returns for a path below
 * /proc, where nothing can be created and the parent exists.
 * @returns the topmost directory that was created; undefined: all of them existed
 * @throws the system error of the first that cannot be created
 */
export function makeDirectories(path: string, mode: number): string | undefined {
  const missing: string[] = [];
  for (let at = resolve(path); !existsSync(at) && at !== dirname(at); at = dirname(at)) missing.unshift(at);
  for (const directory of missing.length === 0 ? [resolve(path)] : missing) makeOne(directory, mode);
  return missing[0];
}

function makeOne(directory: string, mode: number): void {
  try {
    mkdirSync(directory, { mode });
  } catch (error) {
    const isThere = hasCode(error, "EEXIST", "EPERM", "EROFS", "EACCES", "EISDIR");
    if (!isThere || !statSync(directory, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

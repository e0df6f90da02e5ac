import { existsSync, mkdirSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { hasCode, LambdaPackError } from "../errors.ts";

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: "free some space on that disk, or write to another disk",
  EDQUOT: "free some space within the disk quota, or write to another directory",
  EFBIG:
    "the file system or a limit (ulimit -f) does not allow files of this size: write to another directory",
  EACCES: "write to a directory where this user has permission",
  EPERM: "write to a directory where this user has permission",
  EROFS: "the file system is read-only: write to another directory",
  EMFILE: "allow more open files (ulimit -n), or use fewer --jobs",
};

export function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && "code" in error && "syscall" in error;
}

/** Returns a system error as WRITE_FAILED naming the path, and any other error unchanged. */
export function writeFailed(path: string, error: unknown): unknown {
  if (!isSystemError(error)) return error;
  const { code } = error;
  const [, words = error.message] = /^[A-Z0-9]+: ([^,]+)/.exec(error.message) ?? [];
  return new LambdaPackError("WRITE_FAILED", `cannot write ${path}: ${words} (${code})`, {
    cause: error,
    hint: HINTS[code] ?? "check the directory and its permissions, then run again",
  });
}

/**
 * Creates a directory and its parents. Node's own recursive mkdir never returns for a path below
 * /proc, where nothing can be created and the parent exists.
 * @returns the topmost directory that was created; undefined: all of them existed
 * @throws WRITE_FAILED naming the first that cannot be created
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
    if (!isThere || !statSync(directory, { throwIfNoEntry: false })?.isDirectory())
      throw writeFailed(directory, error);
  }
}

/** In bytes; for less, the free space is not checked. */
const MIN_BYTES = 100_000_000;

/**
 * Checks that the file system of a directory has room for `bytes` more, if these are over 100 MB.
 * @throws WRITE_FAILED naming the directory. Does not throw if the free space is not known.
 */
export async function requireFreeSpace(directory: string, bytes: number): Promise<void> {
  if (bytes <= MIN_BYTES) return;
  const found = await statfs(directory).catch(() => undefined);
  if (found === undefined || found.blocks === 0) return; // some network file systems report no blocks
  const free = found.bavail * found.bsize;
  if (bytes <= free) return;
  throw new LambdaPackError(
    "WRITE_FAILED",
    `cannot write to ${directory}: ${megabytes(bytes)} are needed and ${megabytes(free)} are free`,
    { hint: "free some space on that disk, or write to another disk" },
  );
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}

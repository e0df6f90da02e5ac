import { LambdaPackError } from "../errors.ts";

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

/** Returns a system error as WRITE_FAILED naming the path, and any other error unchanged. */
export function writeFailed(path: string, error: unknown): unknown {
  if (!(error instanceof Error && "code" in error && "syscall" in error)) return error;
  const code = String(error.code);
  const [, words = error.message] = /^[A-Z0-9]+: ([^,]+)/.exec(error.message) ?? [];
  return new LambdaPackError("WRITE_FAILED", `cannot write ${path}: ${words} (${code})`, {
    cause: error,
    hint: HINTS[code] ?? "check the directory and its permissions, then run again",
  });
}

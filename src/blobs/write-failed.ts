import { LambdaPackError } from "../errors.ts";

/** Hints for the error codes of a failed write. */
const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: "make room on that disk, or choose a place on another one",
  EDQUOT: "make room within the disk quota, or choose another place",
  EFBIG: "the file system or a limit (ulimit -f) does not allow files of this size: choose another place",
  EACCES: "choose a place where this user may write",
  EPERM: "choose a place where this user may write",
  EROFS: "the file system is read-only: choose another place",
  EMFILE: "allow more open files (ulimit -n), or use fewer --jobs",
};

/** Returns a system error as WRITE_FAILED naming the path, and any other error unchanged. */
export function writeFailed(path: string, error: unknown): unknown {
  if (!(error instanceof Error && "code" in error && "syscall" in error)) return error;
  const code = String(error.code);
  const [, words = error.message] = /^[A-Z0-9]+: ([^,]+)/.exec(error.message) ?? [];
  return new LambdaPackError("WRITE_FAILED", `cannot write ${path}: ${words} (${code})`, {
    cause: error,
    hint: HINTS[code] ?? "check that place, then run again",
  });
}

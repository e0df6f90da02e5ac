import { type ErrorCode, LambdaPackError } from "../errors.ts";

export const DONE = 0;
export const FAILED = 1;
export const WRONG_USAGE = 2;
export const CHECK_FOUND_ERRORS = 3;
/** As `diff --exit-code` has it; 1 would be the status of a failure. */
export const DIFFERENCES_FOUND = 3;
const NOT_PERMITTED = 4;
/** Safe to run again. */
const NETWORK = 5;

/** What a shell sees of a process that a signal ended: 128 and the signal's number. */
export const STOPPED = { SIGINT: 130, SIGTERM: 143 } as const;

/** The exit status of each way to fail. */
export const EXIT_STATUS: Readonly<Record<ErrorCode, number>> = {
  USAGE: WRONG_USAGE,
  REFERENCE_INVALID: WRONG_USAGE,
  SOURCE_DATE_EPOCH_INVALID: WRONG_USAGE,
  DIRECTORY_UNREADABLE: FAILED,
  DIRECTORY_EMPTY: FAILED,
  FILE_UNREADABLE: FAILED,
  FILE_CHANGED: FAILED,
  FILE_KIND: FAILED,
  FILE_NAME: FAILED,
  IGNORE_PATTERN: FAILED,
  SECRET_FOUND: FAILED,
  HANDLER_NOT_FOUND: FAILED,
  LOCK_REFUSED: FAILED,
  IMAGE_NOT_FOUND: FAILED,
  PLATFORM_NOT_FOUND: FAILED,
  IMAGE_INVALID: FAILED,
  IMAGE_UNSUPPORTED: FAILED,
  CONTENT_MISMATCH: FAILED,
  LAYOUT_INVALID: FAILED,
  CHECK_FAILED: CHECK_FOUND_ERRORS,
  WRITE_FAILED: FAILED,
  CREDENTIALS_INVALID: NOT_PERMITTED,
  CREDENTIALS_HELPER: NOT_PERMITTED,
  DENIED: NOT_PERMITTED,
  REPOSITORY_NOT_FOUND: NETWORK,
  TAG_IMMUTABLE: NETWORK,
  REGISTRY_ANSWER: NETWORK,
  REGISTRY_UNREACHABLE: NETWORK,
  OFFLINE: NETWORK,
  AWS_REFUSED: FAILED,
  FUNCTION_NOT_FOUND: FAILED,
  FUNCTION_UNFIT: FAILED,
  FUNCTION_FAILED: FAILED,
  FUNCTION_BUSY: NETWORK,
  RUNTIME_MISSING: FAILED,
  RUNTIME_FAILED: FAILED,
  ABORTED: STOPPED.SIGINT,
};

/** Errors that are not ours are bugs: 1. */
export function exitStatus(error: unknown): number {
  return error instanceof LambdaPackError ? EXIT_STATUS[error.code] : FAILED;
}

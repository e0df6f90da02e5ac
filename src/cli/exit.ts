import { type ErrorCode, LambdaPackError } from "../errors.ts";

export const DONE = 0;
export const FAILED = 1;
const WRONG_USAGE = 2;
export const CHECK_FOUND_ERRORS = 3;
/** The status of `diff --exit-code`; 1 is the status of a failure. */
export const DIFFERENCES_FOUND = 3;
const NOT_PERMITTED = 4;
/** Running the command again is safe. */
const NETWORK = 5;

/** The status of an invocation that timed out, as in timeout(1). */
const TIMED_OUT = 124;

/**
 * The status that a shell reports for a process that was ended by a signal: 128 plus its number.
 */
export const STOPPED = { SIGINT: 130, SIGTERM: 143 } as const;

/** The exit status for each error code. */
export const EXIT_STATUS: Readonly<Record<ErrorCode, number>> = {
  USAGE: WRONG_USAGE,
  REFERENCE_INVALID: WRONG_USAGE,
  SOURCE_DATE_EPOCH_INVALID: WRONG_USAGE,
  DOCKERFILE_REFUSED: WRONG_USAGE,
  COMPOSITION_REFUSED: FAILED,
  CONFIG_INVALID: WRONG_USAGE,
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
  LOCK_INVALID: FAILED,
  DEPENDENCY_UNAVAILABLE: FAILED,
  INSTALL_FAILED: FAILED,
  BUNDLE_FAILED: FAILED,
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
  REPOSITORY_NOT_FOUND: FAILED,
  TAG_IMMUTABLE: FAILED,
  REGISTRY_ANSWER: NETWORK,
  REGISTRY_UNREACHABLE: NETWORK,
  BLOBS_MISSING: NETWORK,
  OFFLINE: FAILED,
  AWS_REFUSED: FAILED,
  FUNCTION_NOT_FOUND: FAILED,
  FUNCTION_UNFIT: FAILED,
  FUNCTION_FAILED: FAILED,
  FUNCTION_BUSY: NETWORK,
  RUNTIME_MISSING: FAILED,
  RUNTIME_FAILED: FAILED,
  INVOCATION_FAILED: FAILED,
  INVOCATION_TIMEOUT: TIMED_OUT,
  ABORTED: STOPPED.SIGINT,
};

/** Returns the exit status of an error; any other error than a LambdaPackError is a bug. */
export function exitStatus(error: unknown): number {
  return error instanceof LambdaPackError ? EXIT_STATUS[error.code] : FAILED;
}

/**
 * The codes of all failures; a code never changes its meaning. docs/errors.md explains the cause
 * and the fix of each; the exit status follows from the code.
 */
export type ErrorCode =
  // wrong usage
  | "USAGE"
  | "REFERENCE_INVALID"
  | "SOURCE_DATE_EPOCH_INVALID"
  | "DOCKERFILE_REFUSED"
  | "COMPOSITION_REFUSED"
  | "CONFIG_INVALID"
  // the source directory
  | "DIRECTORY_UNREADABLE"
  | "DIRECTORY_EMPTY"
  | "FILE_UNREADABLE"
  | "FILE_CHANGED"
  | "FILE_KIND"
  | "FILE_NAME"
  | "IGNORE_PATTERN"
  | "SECRET_FOUND"
  | "HANDLER_NOT_FOUND"
  | "LOCK_REFUSED"
  // what the application depends on
  | "LOCK_INVALID"
  | "DEPENDENCY_UNAVAILABLE"
  | "INSTALL_FAILED"
  | "BUNDLE_FAILED"
  // images
  | "IMAGE_NOT_FOUND"
  | "PLATFORM_NOT_FOUND"
  | "IMAGE_INVALID"
  | "IMAGE_UNSUPPORTED"
  | "CONTENT_MISMATCH"
  | "LAYOUT_INVALID"
  | "CHECK_FAILED"
  // disk
  | "WRITE_FAILED"
  // credentials and permission
  | "CREDENTIALS_INVALID"
  | "CREDENTIALS_HELPER"
  | "DENIED"
  // registry and network
  | "REPOSITORY_NOT_FOUND"
  | "TAG_IMMUTABLE"
  | "REGISTRY_ANSWER"
  | "REGISTRY_UNREACHABLE"
  | "BLOBS_MISSING"
  | "OFFLINE"
  // Lambda functions and what they load
  | "AWS_REFUSED"
  | "FUNCTION_NOT_FOUND"
  | "FUNCTION_UNFIT"
  | "FUNCTION_FAILED"
  | "FUNCTION_BUSY"
  // running a function on this machine
  | "RUNTIME_MISSING"
  | "RUNTIME_FAILED"
  | "INVOCATION_FAILED"
  | "INVOCATION_TIMEOUT"
  // the caller's own signal
  | "ABORTED";

/** One entry of a registry's error document (distribution-spec, "Error Codes"). */
export interface RegistryComplaint {
  readonly code: string;
  readonly message: string;
}

/** An unexpected HTTP answer. */
export interface RegistryAnswer {
  /** HTTP status. */
  readonly status: number;
  /** The server's messages, without control characters and secrets. */
  readonly complaints: readonly RegistryComplaint[];
  /** Who answered. `storage` is a host that the registry redirected to. Default `registry`. */
  readonly by?: "registry" | "storage" | "token-server" | "aws";
  /** The wait that `Retry-After` asked for, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** The `Range` header. */
  readonly range?: string | undefined;
  /** With BLOBS_MISSING the digests of the missing blobs; empty: the registry did not say which. */
  readonly missing?: readonly string[];
}

export interface ErrorDetails {
  /** The next step, as a sentence or a command. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  readonly answer?: RegistryAnswer | undefined;
}

/** The only error that this project throws on purpose: what failed, with which thing, what next. */
export class LambdaPackError extends Error {
  override readonly name: string = "LambdaPackError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** Set if a server answered. */
  readonly answer: RegistryAnswer | undefined;
  #attempts: number | undefined;

  constructor(code: ErrorCode, message: string, { hint, cause, answer }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
    this.answer = answer;
  }

  /** How many attempts in a row ended in this error; undefined if no retry policy counted them. */
  get attempts(): number | undefined {
    return this.#attempts;
  }

  /** Records the attempts that ended in this error, also in its message, at the first call only. */
  addAttempts(attempts: number): this {
    if (this.#attempts !== undefined) return this;
    this.#attempts = attempts;
    if (attempts > 1) this.message += `, ${attempts} times in a row`;
    return this;
  }
}

/** Creates the error for wrong usage. `hint` is the next step, as a sentence or a command. */
export function misuse(message: string, hint?: string): LambdaPackError {
  return new LambdaPackError("USAGE", message, { hint });
}

/** Returns whether `error` has one of `codes`: ours, or the system's (ENOENT, ECONNRESET, ...). */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** Returns the message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

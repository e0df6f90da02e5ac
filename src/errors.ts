/**
 * Every way in which lambda-pack can fail, by a name that never changes its meaning. docs/errors.md
 * tells each one's cause and cure; the exit status follows from it.
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

/** An HTTP answer that was not what was asked for. */
export interface RegistryAnswer {
  /** HTTP status. */
  readonly status: number;
  /** The server's own words, control characters and secrets removed. */
  readonly complaints: readonly RegistryComplaint[];
  /** Who answered. `storage` is a host that the registry redirected to. Default `registry`. */
  readonly by?: "registry" | "storage" | "token-server" | "aws";
  /** What `Retry-After` asked for, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** The `Range` header. */
  readonly range?: string | undefined;
  /**
   * Digests of the blobs that the registry lacks, with the code BLOBS_MISSING; empty: it did not
   * say which.
   */
  readonly missing?: readonly string[];
}

export interface ErrorDetails {
  /** The next step, as a sentence or a command. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  readonly answer?: RegistryAnswer | undefined;
}

/** The one error this project throws on purpose: what failed, with which thing, what next. */
export class LambdaPackError extends Error {
  override readonly name: string = "LambdaPackError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** Set where a server answered. */
  readonly answer: RegistryAnswer | undefined;
  #attempts: number | undefined;

  constructor(code: ErrorCode, message: string, { hint, cause, answer }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
    this.answer = answer;
  }

  /**
   * How many attempts in a row ended in this error; undefined where it was never up for a retry.
   */
  get attempts(): number | undefined {
    return this.#attempts;
  }

  /**
   * Records the attempts that ended in this error and says so in its message. Only the first call
   * counts.
   */
  addAttempts(attempts: number): this {
    if (this.#attempts !== undefined) return this;
    this.#attempts = attempts;
    if (attempts > 1) this.message += `, ${attempts} times in a row`;
    return this;
  }
}

/** Whether `error` carries this `code`: ours, or one of the system's (ENOENT, ECONNRESET, ...). */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

import { LambdaPackError } from "../errors.ts";

/** Creates the error for a lock file that is damaged, too old, or out of date. */
export function lockInvalid(message: string, hint: string): LambdaPackError {
  return new LambdaPackError("LOCK_INVALID", message, { hint });
}

/** Creates the error for a package that cannot be installed for the target. */
export function unavailable(message: string, hint: string): LambdaPackError {
  return new LambdaPackError("DEPENDENCY_UNAVAILABLE", message, { hint });
}

/** Creates the error for an option that the lock file does not allow. */
export function usage(message: string, hint: string): LambdaPackError {
  return new LambdaPackError("USAGE", message, { hint });
}

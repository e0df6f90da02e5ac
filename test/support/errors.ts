import { LambdaPackError } from "../../src/errors.ts";

/** Returns a test for `assert.rejects`: whether an error has this code, and texts that match. */
export function codeOf(code: string, message: RegExp, hint = /(?:)/): (error: unknown) => boolean {
  return (error) =>
    error instanceof LambdaPackError &&
    error.code === code &&
    message.test(error.message) &&
    hint.test(error.hint ?? "");
}

import { type ErrorCode, LambdaPackError } from "../../src/errors.ts";

/** Returns a test for `assert.rejects`: whether an error has this code, and texts that match. */
export function codeOf(code: string, message: RegExp, hint = /(?:)/): (error: unknown) => boolean {
  return (error) =>
    error instanceof LambdaPackError &&
    error.code === code &&
    message.test(error.message) &&
    hint.test(error.hint ?? "");
}

/** For `assert.rejects`: the code, and what the message has to say. */
export function failsWith(code: ErrorCode, words: RegExp = /./): (error: unknown) => boolean {
  return (error) => {
    if (error instanceof LambdaPackError && error.code === code && words.test(error.message)) return true;
    throw error;
  };
}

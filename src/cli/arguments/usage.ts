import { LambdaPackError } from "../../errors.ts";

/** A mistake on the command line or in a variable. */
export function wrong(message: string, hint?: string): LambdaPackError {
  return new LambdaPackError("USAGE", message, { hint });
}

/**
 * A word of the user in a message; a long one is cut, so that a pasted file does not fill the
 * screen.
 */
export function quote(word: string): string {
  return JSON.stringify(word.length > 80 ? `${word.slice(0, 79)}…` : word);
}

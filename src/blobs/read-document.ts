import { LambdaPackError } from "../errors.ts";
import { DOCUMENT_LIMIT } from "../oci/content.ts";
import { readConfigurationFile } from "./regular-file.ts";

/** A document's error with the file that it is in. */
export function asLayout<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof LambdaPackError)) throw error;
    throw new LambdaPackError("LAYOUT_INVALID", `${path} is broken: ${error.message}`, { cause: error });
  }
}

/**
 * A document's bytes, or undefined where there is no such file.
 * @throws LAYOUT_INVALID when it is too large or unreadable.
 */
export function readSmall(path: string): Uint8Array | undefined {
  return readConfigurationFile(path, { maxBytes: DOCUMENT_LIMIT, code: "LAYOUT_INVALID" });
}

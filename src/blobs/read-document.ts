import { LambdaPackError } from "../errors.ts";
import { DOCUMENT_LIMIT } from "../oci/json.ts";
import { readConfigurationFile } from "./regular-file.ts";

/** Runs `parse` and adds the path of the file to its error. */
export function asLayout<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof LambdaPackError)) throw error;
    throw new LambdaPackError("LAYOUT_INVALID", `${path} is broken: ${error.message}`, { cause: error });
  }
}

/**
 * Returns a document's bytes, or undefined if there is no such file.
 * @throws LAYOUT_INVALID if it is too large or unreadable.
 */
export function readSmall(path: string): Uint8Array | undefined {
  return readConfigurationFile(path, { maxBytes: DOCUMENT_LIMIT, code: "LAYOUT_INVALID" });
}

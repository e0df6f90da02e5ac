import { readFile, stat } from "node:fs/promises";
import { hasCode, LambdaPackError } from "../errors.ts";
import { DOCUMENT_LIMIT } from "../oci/content.ts";

/** A document's error with the file that it is in. */
export function asLayout<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof LambdaPackError)) throw error;
    throw new LambdaPackError("LAYOUT_INVALID", `${path} is broken: ${error.message}`, { cause: error });
  }
}

/** A document's bytes, or undefined where there is no such file. @throws LAYOUT_INVALID when it is too large or unreadable. */
export async function readSmall(path: string): Promise<Uint8Array | undefined> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new LambdaPackError("LAYOUT_INVALID", `${path} is no file`);
    if (found.size <= DOCUMENT_LIMIT) return await readFile(path);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    if (error instanceof LambdaPackError) throw error;
    throw unreadable(path, error);
  }
  throw new LambdaPackError(
    "LAYOUT_INVALID",
    `${path} has more than the ${DOCUMENT_LIMIT} bytes of a document`,
  );
}

function unreadable(path: string, error: unknown): LambdaPackError {
  const words = error instanceof Error ? error.message : String(error);
  return new LambdaPackError("LAYOUT_INVALID", `${path} cannot be read: ${words}`, { cause: error });
}

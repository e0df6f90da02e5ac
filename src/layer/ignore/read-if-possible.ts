import { readdirSync } from "node:fs";
import { readStart } from "../../blobs/regular-file.ts";

/** In bytes; no more of a file is read. */
const MAX_BYTES = 1024 * 1024;

/** Lists a directory; no names if it is none, or cannot be read. */
export function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Returns the text of a regular file; the empty string if it is none, or cannot be read. */
export function textOf(path: string): string {
  return readStart(path, MAX_BYTES).toString();
}

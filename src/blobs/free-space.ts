import { statfs } from "node:fs/promises";
import { LambdaPackError } from "../errors.ts";

/** In bytes; for less, the free space is not checked. */
const MIN_BYTES = 100_000_000;

/**
 * Checks that the file system of a directory has room for `bytes` more, if these are over 100 MB.
 * @throws WRITE_FAILED naming the directory. Does not throw if the free space is not known.
 */
export async function requireFreeSpace(directory: string, bytes: number): Promise<void> {
  if (bytes <= MIN_BYTES) return;
  const found = await statfs(directory).catch(() => undefined);
  if (found === undefined || found.blocks === 0) return; // some network file systems report no blocks
  const free = found.bavail * found.bsize;
  if (bytes <= free) return;
  throw new LambdaPackError(
    "WRITE_FAILED",
    `cannot write to ${directory}: ${megabytes(bytes)} are needed and ${megabytes(free)} are free`,
    { hint: "free some space on that disk, or write to another disk" },
  );
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}

import { readSync } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { hasCode, LambdaPackError } from "../errors.ts";
import type { Content, Descriptor } from "../oci/content.ts";
import { isSystemError } from "./disk.ts";

/** Larger reads are no faster, and their memory is freed late: 1 MiB took 35 MB more in a push. */
const READ_BYTES = 256 * 1024;

type Read = (
  handle: FileHandle,
  buffer: Buffer,
  length: number,
  position: number,
) => Promise<number> | number;

const readInPool: Read = async (handle, buffer, length, position) =>
  (await handle.read(buffer, 0, length, position)).bytesRead;

/** Reads bytes just written. In the thread pool it would wait for blocks being deflated. */
export const readNow: Read = ({ fd }, buffer, length, position) => readSync(fd, buffer, 0, length, position);

/**
 * Reads a file from `start` to `end` (undefined: the end of the file) in chunks of 256 KiB. Throws
 * system errors unchanged; stops without an error if the file ends early.
 */
export async function* readFileFrom(
  path: string,
  start: number,
  end?: number,
  signal?: AbortSignal,
  read: Read = readInPool,
): AsyncIterable<Uint8Array> {
  const handle = await open(path, "r");
  try {
    let position = start;
    while (end === undefined || position < end) {
      signal?.throwIfAborted();
      const length = Math.min(READ_BYTES, (end ?? Number.POSITIVE_INFINITY) - position);
      const buffer = Buffer.allocUnsafe(length);
      const bytesRead = await read(handle, buffer, length, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/**
 * Returns a content that is stored in one file. Reading throws CONTENT_MISMATCH naming the digest
 * if the file is missing or has another size.
 */
export function fileContent(descriptor: Descriptor, path: string): Content {
  const { digest, size } = descriptor;
  return {
    descriptor,
    file: path,
    async *read(from = 0, signal) {
      if (!(await isFileOf(path, size)))
        throw contentMismatch(digest, path, `is not a file of ${size} bytes`);
      let position = from;
      try {
        for await (const chunk of readFileFrom(path, from, size, signal)) {
          position += chunk.length;
          yield chunk;
        }
      } catch (error) {
        throw isSystemError(error)
          ? contentMismatch(digest, path, `cannot be read (${error.code})`, error)
          : error;
      }
      if (position < size) throw contentMismatch(digest, path, `ended at byte ${position} of ${size}`);
    },
  };
}

/** Returns whether it is a regular file of this size. Opening a FIFO instead would block. */
export async function isFileOf(path: string, size: number): Promise<boolean> {
  try {
    const found = await stat(path);
    return found.isFile() && found.size === size;
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR", "ELOOP", "EACCES")) return false;
    throw error;
  }
}

function contentMismatch(digest: string, path: string, what: string, cause?: unknown): LambdaPackError {
  return new LambdaPackError("CONTENT_MISMATCH", `${digest}: ${path} ${what}`, {
    cause,
    hint: "the image on disk is damaged: make or copy it again",
  });
}

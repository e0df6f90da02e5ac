import { readSync } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { hasCode, LambdaPackError } from "../errors.ts";
import type { Content, Descriptor } from "../oci/content.ts";

/** Larger ones are no faster, and are collected late: 1 MiB took 35 MB more of memory in a push. */
const READ_BYTES = 256 * 1024;

type Read = (
  handle: FileHandle,
  buffer: Buffer,
  length: number,
  position: number,
) => Promise<number> | number;

const readInPool: Read = async (handle, buffer, length, position) =>
  (await handle.read(buffer, 0, length, position)).bytesRead;

/**
 * For what was written a moment ago: in the pool a read would wait for blocks that are deflated
 * there.
 */
export const readNow: Read = ({ fd }, buffer, length, position) => readSync(fd, buffer, 0, length, position);

/**
 * The bytes of a file from an offset to `end` (undefined: its own), in reads of 256 KiB. Throws
 * whatever the system says; a file that ends early just ends.
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
 * A content that is a file of its own. Reading throws CONTENT_MISMATCH naming the digest when it is
 * gone or has another size.
 */
export function fileContent(descriptor: Descriptor, path: string): Content {
  const { digest, size } = descriptor;
  return {
    descriptor,
    file: path,
    async *read(from = 0, signal) {
      if (!(await isFileOf(path, size))) throw spoiled(digest, path, `is no file of ${size} bytes`);
      let position = from;
      try {
        for await (const chunk of readFileFrom(path, from, size, signal)) {
          position += chunk.length;
          yield chunk;
        }
      } catch (error) {
        throw isSystemError(error) ? spoiled(digest, path, `cannot be read (${error.code})`, error) : error;
      }
      if (position < size) throw spoiled(digest, path, `ended at byte ${position} of ${size}`);
    },
  };
}

/** Asked before opening: opening a pipe would wait for ever. */
export async function isFileOf(path: string, size: number): Promise<boolean> {
  try {
    const found = await stat(path);
    return found.isFile() && found.size === size;
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR", "ELOOP", "EACCES")) return false;
    throw error;
  }
}

function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && "syscall" in error && "code" in error;
}

function spoiled(digest: string, path: string, what: string, cause?: unknown): LambdaPackError {
  return new LambdaPackError("CONTENT_MISMATCH", `${digest}: ${path} ${what}`, {
    cause,
    hint: "the image on disk is damaged: make or copy it again",
  });
}

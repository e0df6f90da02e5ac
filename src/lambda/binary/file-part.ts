import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** A file of which possibly only parts were read. */
export interface FilePart {
  readonly size: number;
  /** Returns exactly these bytes; undefined if some of them are beyond the end or were not read. */
  read(offset: number, length: number): Buffer | undefined;
}

/** Returns a file of which the start and possibly the end were read. */
export function partOf(size: number, head: Buffer, tail: Buffer = Buffer.alloc(0)): FilePart {
  const tailAt = size - tail.length;
  return {
    size,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > size) return undefined;
      if (offset + length <= head.length) return head.subarray(offset, offset + length);
      if (offset < tailAt) return undefined;
      return tail.subarray(offset - tailAt, offset - tailAt + length);
    },
  };
}

/** In bytes; larger parts are never read. */
const MAX_READ_BYTES = 16 * 1024 * 1024;

/** Runs `work` with a file on disk. Returns undefined if the file cannot be opened. */
export function withFile<T>(path: string, work: (file: FilePart) => T): T | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    return work(partOfFile(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

function partOfFile(descriptor: number): FilePart {
  const { size } = fstatSync(descriptor);
  return {
    size,
    read(offset, length) {
      if (offset < 0 || length < 0 || length > MAX_READ_BYTES || offset + length > size) return undefined;
      const buffer = Buffer.allocUnsafe(length); // returned only when it is full
      return readSync(descriptor, buffer, 0, length, offset) === length ? buffer : undefined;
    },
  };
}

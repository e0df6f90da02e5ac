import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { FilePart } from "./file-part.ts";

/** In bytes; larger parts are never read. */
const MOST = 16 * 1024 * 1024;

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
      if (offset < 0 || length < 0 || length > MOST || offset + length > size) return undefined;
      const buffer = Buffer.allocUnsafe(length); // returned only when it is full
      return readSync(descriptor, buffer, 0, length, offset) === length ? buffer : undefined;
    },
  };
}

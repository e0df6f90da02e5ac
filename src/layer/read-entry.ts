import { closeSync, openSync, readSync } from "node:fs";
import type { FileEntry } from "../tar/entry.ts";
import { unreadable } from "./encode/source.ts";

/** Reads the text of a file before it is packed. @throws FILE_UNREADABLE */
export function readEntry({ source, offset = 0, size }: FileEntry): string {
  const bytes = Buffer.alloc(size);
  try {
    const descriptor = openSync(source, "r");
    try {
      return bytes.toString("utf8", 0, readSync(descriptor, bytes, 0, size, offset));
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw unreadable(source, error);
  }
}

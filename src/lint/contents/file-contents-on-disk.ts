import { type FilePart, withFile } from "../../lambda/binary/file-part.ts";
import type { Entry, FileEntry } from "../../tar/entry.ts";
import type { LayerEntry, Wanted } from "../../tar/layer-entry.ts";
import type { FileContents } from "./file-contents.ts";

/** Adds what rules need of a file that will be packed as `planned`; opens few files. */
export function addFileOnDisk(
  contents: FileContents,
  layer: number,
  entry: Entry,
  planned: LayerEntry,
): void {
  if (entry.kind !== "file" || isFittedBytecode(entry)) return;
  const wanted = contents.enter(planned, entry.path, layer);
  if (!wanted) return;
  // A file that cannot be read is ignored: packing fails on it, with a better message.
  withFile(entry.source, (file) => contents.take(entry.path, layer, only(partOf(file, entry), wanted)));
}

/** Returns whether packing sets the mtime in this bytecode to the layer's. */
function isFittedBytecode({ path, edits = [] }: FileEntry): boolean {
  return edits.length > 0 && path.endsWith(".pyc");
}

/** Limits a file that holds several entries to the bytes of one entry. */
function partOf(file: FilePart, { offset, size }: FileEntry): FilePart {
  if (offset === undefined) return file;
  const isInside = (at: number, length: number) => at >= 0 && at + length <= size;
  return { size, read: (at, length) => (isInside(at, length) ? file.read(offset + at, length) : undefined) };
}

/** Limits a file to the parts that a layer scan reads, so that both give the same findings. */
function only({ size, read }: FilePart, { head, tail = 0 }: Wanted): FilePart {
  const isWanted = (offset: number, length: number) => offset + length <= head || offset >= size - tail;
  return {
    size,
    read: (offset, length) => (isWanted(offset, length) ? read(offset, length) : undefined),
  };
}

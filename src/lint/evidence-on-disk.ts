import type { FilePart } from "../lambda/binary/file-part.ts";
import { withFile } from "../lambda/handler/file-on-disk.ts";
import type { Entry, FileEntry } from "../tar/entry.ts";
import type { LayerEntry, Wanted } from "../tar/tar-walk.ts";
import type { Evidence } from "./evidence.ts";

/** Shows `evidence` a file that is to be packed as `planned`, from where it is on disk; of most only the name is looked at. */
export function showFile(evidence: Evidence, layer: number, entry: Entry, planned: LayerEntry): void {
  const wanted = entry.kind === "file" ? evidence.enter(planned, entry.path) : undefined;
  if (!wanted || entry.kind !== "file") return;
  // What cannot be read now stops the packing, with a better message.
  withFile(entry.source, (file) => evidence.take(entry.path, layer, only(partOf(file, entry), wanted)));
}

/** The entry's own bytes of a file that holds others too. */
function partOf(file: FilePart, { offset, size }: FileEntry): FilePart {
  if (offset === undefined) return file;
  const isInside = (at: number, length: number) => at >= 0 && at + length <= size;
  return { size, read: (at, length) => (isInside(at, length) ? file.read(offset + at, length) : undefined) };
}

/** As much of a file as there would be of it in a layer, so that the same is found in both. */
function only({ size, read }: FilePart, { head, tail = 0 }: Wanted): FilePart {
  const isAtHand = (offset: number, length: number) => offset + length <= head || offset >= size - tail;
  return {
    size,
    read: (offset, length) => (isAtHand(offset, length) ? read(offset, length) : undefined),
  };
}

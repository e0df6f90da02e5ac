import type { Entry } from "../layer/entry.ts";
import type { LayerEntry } from "../layer/read/tar-walk.ts";
import type { Evidence } from "./evidence.ts";
import { withFile } from "./file-on-disk.ts";

const NOTHING = Buffer.alloc(0);

/** Shows `evidence` a file that is to be packed as `planned`, from where it is on disk; of most only the name is looked at. */
export function showFile(evidence: Evidence, layer: number, entry: Entry, planned: LayerEntry): void {
  const wanted = entry.kind === "file" ? evidence.enter(planned, entry.path) : undefined;
  if (!wanted || entry.kind !== "file") return;
  // What cannot be read now stops the packing, with a better message.
  withFile(entry.source, ({ size, read }) => {
    const head = Math.min(wanted.head, size);
    const tail = Math.min(wanted.tail ?? 0, size - head);
    evidence.leave(entry.path, layer, size, read(0, head) ?? NOTHING, read(size - tail, tail) ?? NOTHING);
  });
}

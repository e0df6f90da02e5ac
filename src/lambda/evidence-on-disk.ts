import type { Entry } from "../layer/entry.ts";
import { plannedEntry } from "../layer/read/planned-view.ts";
import type { Evidence } from "./evidence.ts";
import { withFile } from "./file-on-disk.ts";

const NOTHING = Buffer.alloc(0);

/** Shows `evidence` the files that are to be packed, from where they are on disk; of most only the name is looked at. */
export function showFiles(evidence: Evidence, layer: number, entries: Iterable<Entry>): void {
  for (const entry of entries) {
    const wanted = entry.kind === "file" ? evidence.enter(plannedEntry(entry), entry.path) : undefined;
    if (!wanted || entry.kind !== "file") continue;
    // What cannot be read now stops the packing, with a better message.
    withFile(entry.source, ({ size, read }) => {
      const head = Math.min(wanted.head, size);
      const tail = Math.min(wanted.tail ?? 0, size - head);
      evidence.leave(entry.path, layer, size, read(0, head) ?? NOTHING, read(size - tail, tail) ?? NOTHING);
    });
  }
}

import { type Entry, tarName } from "../../tar/entry.ts";
import type { LayerEntry } from "../../tar/layer-entry.ts";
import type { MergedView } from "./merged-view.ts";

/** Adds entries that will be packed to `view`, as if they were in layer `layer` already. */
export function addPlanned(view: MergedView, layer: number, entries: Iterable<Entry>): void {
  for (const entry of entries) view.add(layer, plannedEntry(entry), entry.path);
}

/** Returns the entry that the layer's tar will have. */
export function plannedEntry(entry: Entry): LayerEntry {
  const { kind, path } = entry;
  return {
    name: tarName(entry),
    path,
    kind,
    mode: kind === "symlink" ? 0o777 : entry.mode,
    uid: 0,
    gid: 0,
    size: kind === "file" ? entry.size : 0,
    mtime: 0,
    link: kind === "symlink" ? entry.target : "",
  };
}

import { bySize, Largest } from "../largest.ts";
import type { HiddenEntry, PathNode, ViewEntry } from "./path-tree.ts";

/** A number of files, and their bytes. */
export interface FileCount {
  readonly files: number;
  readonly bytes: number;
}

/** Counts of the entries and files of one layer. */
export interface LayerTotals extends FileCount {
  /** Number of entries in its tar, whiteouts included. */
  readonly entries: number;
  /** Its files that a higher layer replaces or removes: sent and stored, but not visible. */
  readonly hidden: FileCount;
  /** Files of lower layers that this layer hides. */
  readonly hides: FileCount;
}

/** A file that a higher layer, `by`, has too. */
export type Replaced = Pick<HiddenEntry, "path" | "size" | "layer" | "by">;

interface Sum {
  files: number;
  bytes: number;
}

const MAX_REPLACED = 1000;

/** Counts the files of layers, and those that higher layers hide. */
export class HiddenFiles {
  readonly #layers: (Sum & { entries: number; readonly replaced: Sum })[] = [];
  readonly #largest = new Largest<Replaced>(MAX_REPLACED, bySize);
  /** Files that lower layers have at the same path. */
  readonly #replaced = new Map<PathNode, Sum>();

  count(layer: number, { kind, size }: Pick<ViewEntry, "kind" | "size">): void {
    for (let index = this.#layers.length; index <= layer; index++)
      this.#layers.push({ entries: 0, files: 0, bytes: 0, replaced: { files: 0, bytes: 0 } });
    const counts = this.#layers[layer];
    if (counts) counts.entries += 1;
    if (kind === "file") add(counts, size);
  }

  /** Counts a file that a higher layer has too, at the path of `node`. */
  countReplaced(node: PathNode, file: Replaced): void {
    add(this.#layers[file.layer]?.replaced, file.size);
    const lower = this.#replaced.get(node) ?? { files: 0, bytes: 0 };
    add(lower, file.size);
    this.#replaced.set(node, lower);
    this.#largest.add(file);
  }

  /** Returns the replaced files, the largest first; at most a thousand. */
  replaced(): readonly Replaced[] {
    return this.#largest.list();
  }

  /** Returns the totals by layer, with `removed` counted as hidden too. */
  totals(removed: Iterable<HiddenEntry>): readonly LayerTotals[] {
    const totals = this.#layers.map(({ entries, files, bytes, replaced }) => {
      return { entries, files, bytes, hidden: { ...replaced }, hides: { files: 0, bytes: 0 } };
    });
    for (const [{ layer }, { files, bytes }] of this.#replaced) add(totals[layer]?.hides, bytes, files);
    for (const { layer, by, kind, size } of removed) {
      if (kind !== "file") continue;
      add(totals[layer]?.hidden, size);
      add(totals[by]?.hides, size);
    }
    return totals;
  }
}

function add(sum: Sum | undefined, bytes: number, files = 1): void {
  if (!sum) return;
  sum.files += files;
  sum.bytes += bytes;
}

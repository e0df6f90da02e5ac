import type { EntryKind } from "../../tar/read-header.ts";
import { bySize, Largest } from "../largest.ts";

/** The numbers of one layer. */
export interface LayerTotals {
  /** Entries of its tar, whiteouts included. */
  readonly entries: number;
  /** Its files, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** Files that a higher layer replaces or removes: they are sent and stored, but not visible. */
  readonly hiddenFiles: number;
  readonly hiddenBytes: number;
}

/** A number of files, and their bytes. */
export interface Hidden {
  readonly files: number;
  readonly bytes: number;
}

/** A file that a higher layer has too. */
export interface Replaced {
  readonly path: string;
  /** The size of the lower file. */
  readonly size: number;
  readonly layer: number;
  readonly by: number;
}

interface Counted {
  readonly kind: EntryKind;
  readonly size: number;
}

const MOST_REPLACED = 1000;

/** Counts the files of layers, and those that higher layers hide. */
export class HiddenFiles {
  readonly #totals: { -readonly [K in keyof LayerTotals]: number }[] = [];
  readonly #replaced = new Largest<Replaced>(MOST_REPLACED, bySize);

  count(layer: number, { kind, size }: Counted): void {
    const totals = this.#of(layer);
    totals.entries += 1;
    if (kind !== "file") return;
    totals.files += 1;
    totals.bytes += size;
  }

  /** Counts a file that a higher layer has too. */
  replace(file: Replaced): void {
    this.#hide(this.#of(file.layer), file.size);
    this.#replaced.add(file);
  }

  /** Returns the replaced files, the largest first; at most a thousand. */
  replaced(): readonly Replaced[] {
    return this.#replaced.list();
  }

  /** Returns the totals by layer, with `removed` counted as hidden too. */
  totals(removed: Iterable<Counted & { readonly layer: number }>): readonly LayerTotals[] {
    const totals = this.#totals.map((one) => ({ ...one }));
    for (const { layer, kind, size } of removed) {
      const own = totals[layer];
      if (own && kind === "file") this.#hide(own, size);
    }
    return totals;
  }

  #hide(totals: { hiddenFiles: number; hiddenBytes: number }, size: number): void {
    totals.hiddenFiles += 1;
    totals.hiddenBytes += size;
  }

  #of(layer: number) {
    for (let index = this.#totals.length; index <= layer; index++)
      this.#totals.push({ entries: 0, files: 0, bytes: 0, hiddenFiles: 0, hiddenBytes: 0 });
    const totals = this.#totals[layer];
    if (!totals) throw new RangeError(`no layer ${layer}`);
    return totals;
  }
}

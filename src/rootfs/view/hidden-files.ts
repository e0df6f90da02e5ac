import type { EntryKind } from "../../tar/read-header.ts";
import { bySize, Largest } from "../largest.ts";

/** A layer's part in the whole. */
export interface LayerTotals {
  /** Entries of its tar, whiteouts included. */
  readonly entries: number;
  /** Files of it, and the bytes in them. */
  readonly files: number;
  readonly bytes: number;
  /**
   * Those that a higher layer replaces or removes: they are sent and stored, and cannot be seen.
   */
  readonly hiddenFiles: number;
  readonly hiddenBytes: number;
}

/** Files, and the bytes in them. */
export interface Hidden {
  readonly files: number;
  readonly bytes: number;
}

/** A file that a higher layer has too. */
export interface Replaced {
  readonly path: string;
  /** Of the lower one. */
  readonly size: number;
  readonly layer: number;
  readonly by: number;
}

interface Counted {
  readonly kind: EntryKind;
  readonly size: number;
}

const MOST_REPLACED = 1000;

/** Counts what layers hold, and what of it higher layers hide. */
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

  /** The largest first; at most a thousand. */
  replaced(): readonly Replaced[] {
    return this.#replaced.list();
  }

  /** By layer, with `removed` counted as hidden too. */
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

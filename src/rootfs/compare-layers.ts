import type { Content } from "../oci/content.ts";
import { type EntryAspect, Listing } from "./listing.ts";
import { PathTable } from "./path-table.ts";
import { scanLayer } from "./scan.ts";

/** How many entries, and a few of their paths. */
export interface Some {
  readonly count: number;
  readonly paths: readonly string[];
}

/** Why two layers are not the same tar. Where all counts are 0 and `reordered` is false, only the headers are written otherwise. */
export interface LayerDifference {
  /** Entries of each. */
  readonly before: number;
  readonly after: number;
  readonly added: Some;
  readonly removed: Some;
  readonly changed: Readonly<Record<EntryAspect, Some>>;
  /** The same paths in another order. */
  readonly reordered: boolean;
}

const MOST_PATHS = 20;

/** Reads both layers, entry by entry. @throws IMAGE_INVALID, IMAGE_UNSUPPORTED and what reading throws. */
export async function compareLayers(
  before: Content,
  after: Content,
  signal?: AbortSignal,
): Promise<LayerDifference> {
  const paths = new PathTable();
  const old = new Listing(paths);
  const fresh = new Listing(paths);
  await scanLayer(before, old, { signal });
  await scanLayer(after, fresh, { signal });
  const added = new Kept(paths);
  const removed = new Kept(paths);
  const changed = aspects(() => new Kept(paths));
  for (const id of new Set(old.order)) {
    if (!fresh.has(id)) removed.add(id);
    else for (const aspect of old.differences(fresh, id)) changed[aspect].add(id);
  }
  for (const id of new Set(fresh.order)) if (!old.has(id)) added.add(id);
  const isSameSet = added.count === 0 && removed.count === 0;
  return {
    before: old.order.length,
    after: fresh.order.length,
    added: added.some(),
    removed: removed.some(),
    changed: aspects((aspect) => changed[aspect].some()),
    reordered: isSameSet && old.order.some((id, index) => fresh.order[index] !== id),
  };
}

function aspects<T>(make: (aspect: EntryAspect) => T): Record<EntryAspect, T> {
  return {
    kind: make("kind"),
    content: make("content"),
    link: make("link"),
    mode: make("mode"),
    owner: make("owner"),
    mtime: make("mtime"),
  };
}

class Kept {
  count = 0;
  readonly #table: PathTable;
  readonly #ids: number[] = [];

  constructor(table: PathTable) {
    this.#table = table;
  }

  add(id: number): void {
    this.count += 1;
    if (this.#ids.length < MOST_PATHS) this.#ids.push(id);
  }

  some(): Some {
    return { count: this.count, paths: this.#ids.map((id) => this.#table.path(id)) };
  }
}

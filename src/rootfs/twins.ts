import { doubles, words } from "./columns.ts";
import type { Contents } from "./contents.ts";
import { Largest } from "./largest.ts";
import type { MergedView, ViewEntry } from "./merged-view.ts";
import type { Hidden } from "./waste.ts";

/** Files with the same content in more than one place. */
export interface Twins {
  /** Of one of them. */
  readonly size: number;
  readonly copies: number;
  /** The first few of the places. */
  readonly paths: readonly string[];
}

export interface AllTwins {
  /** What could be spared: all but the first of each. */
  readonly total: Hidden;
  /** Those that cost most first, at most {@link MOST_TWINS}. */
  readonly list: readonly Twins[];
}

const MOST_PATHS = 5;
const MOST_TWINS = 1000;
/** What is less costs more to name than to keep. */
export const LEAST_TWIN = 4096;

/**
 * The files that can be seen more than once, of at least {@link LEAST_TWIN} bytes and of which `contents` knows what is in them. Of a million files it takes
 * some 12 MB while it looks.
 * `counts`: which of them are looked at.
 */
export function findTwins(
  view: MergedView,
  contents: Contents,
  counts: (entry: ViewEntry) => boolean = () => true,
): AllTwins {
  const copies = words();
  const sizes = doubles();
  for (const { number, size } of numbered(view, contents, counts)) {
    copies.set(number, copies.get(number) + 1);
    sizes.set(number, size);
  }
  const total = { files: 0, bytes: 0 };
  const costliest = new Largest<{ readonly number: number; readonly size: number }>(
    MOST_TWINS,
    (a, b) => b.size - a.size || contents.compare(a.number, b.number),
  );
  for (let number = 1; number <= contents.size; number++) {
    const extra = copies.get(number) - 1;
    if (extra < 1) continue;
    const cost = extra * sizes.get(number);
    total.files += extra;
    total.bytes += cost;
    costliest.add({ number, size: cost });
  }
  const paths = new Map(costliest.list().map(({ number }) => [number, [] as string[]]));
  for (const { number, path } of paths.size > 0 ? numbered(view, contents, counts) : []) {
    const own = paths.get(number);
    if (own) keepFirst(own, path);
  }
  const list = [...paths].map(([number, places]) => ({
    size: sizes.get(number),
    copies: copies.get(number),
    paths: places,
  }));
  return { total, list };
}

/** Layers are read side by side, so that paths come in any order. */
function keepFirst(paths: string[], path: string): void {
  if (paths.length === MOST_PATHS && path > (paths.at(-1) ?? "")) return;
  paths.push(path);
  paths.sort();
  paths.splice(MOST_PATHS);
}

function* numbered(view: MergedView, contents: Contents, counts: (entry: ViewEntry) => boolean) {
  for (const place of view.places()) {
    const entry = view.at(place);
    if (entry?.kind !== "file" || entry.size < LEAST_TWIN || !counts(entry)) continue;
    const number = contents.of(place.id, entry.layer);
    if (number !== undefined) yield { number, path: entry.path, size: entry.size };
  }
}

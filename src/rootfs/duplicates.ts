import type { Contents } from "./contents.ts";
import type { Hidden } from "./view/hidden-files.ts";
import type { MergedView, ViewEntry } from "./view/merged-view.ts";

/** Files with the same content in more than one place. */
export interface Duplicates {
  /** Bytes of one of them. */
  readonly size: number;
  readonly copies: number;
  /** The first few of the places. */
  readonly paths: readonly string[];
}

export interface AllDuplicates {
  /** What could be spared: all but the first of each. */
  readonly total: Hidden;
  /** Those that cost most first, at most {@link MOST_LISTED}. */
  readonly list: readonly Duplicates[];
}

const MOST_PATHS = 5;
const MOST_LISTED = 1000;
/** Bytes; what is less costs more to name than to keep. */
export const LEAST_DUPLICATE = 4096;

/**
 * Finds the files that can be seen more than once, of at least {@link LEAST_DUPLICATE} bytes, whose
 * contents `contents` has read.
 * @param counts which of them are looked at
 */
export function findDuplicates(
  view: MergedView,
  contents: Contents,
  counts: (entry: ViewEntry) => boolean = () => true,
): AllDuplicates {
  const found = new Map<string, { readonly size: number; readonly paths: string[] }>();
  for (const [id, layer, digest] of contents) {
    const entry = view.at(id);
    if (entry?.layer !== layer || entry.kind !== "file" || entry.size < LEAST_DUPLICATE || !counts(entry))
      continue;
    const { size, path } = entry;
    const same = found.get(digest) ?? { size, paths: [] };
    same.paths.push(path);
    found.set(digest, same);
  }
  const all = [...found].filter(([, { paths }]) => paths.length > 1);
  const cost = ({ size, paths }: { readonly size: number; readonly paths: readonly string[] }) =>
    size * (paths.length - 1);
  // By the digest among those of one cost: the same on every machine.
  all.sort(([a, one], [b, other]) => cost(other) - cost(one) || (a < b ? -1 : 1));
  return {
    total: {
      files: all.reduce((sum, [, { paths }]) => sum + paths.length - 1, 0),
      bytes: all.reduce((sum, [, one]) => sum + cost(one), 0),
    },
    list: all.slice(0, MOST_LISTED).map(([, { size, paths }]) => ({
      size,
      copies: paths.length,
      paths: paths.sort().slice(0, MOST_PATHS),
    })),
  };
}

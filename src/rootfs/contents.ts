import { createHash, type Hash } from "node:crypto";
import type { LayerEntry, Wanted } from "../tar/layer-entry.ts";
import type { ImageVisitor } from "./scan-image.ts";
import type { FileCount } from "./view/hidden-files.ts";
import type { MergedView, ViewEntry } from "./view/merged-view.ts";

/** SHA-256 of files of an image in the highest layer, by the number of their path. */
export class Contents implements ImageVisitor {
  readonly #digests = new Map<number, { readonly layer: number; readonly digest: string }>();
  readonly #least: number;
  /** The file that is being read, by layer. */
  readonly #running = new Map<number, { readonly id: number; readonly hash: Hash }>();

  /** @param least files of fewer bytes are not hashed */
  constructor(least = 0) {
    this.#least = least;
  }

  enter({ kind, size }: LayerEntry, _path: string, layer: number, id: number): Wanted | undefined {
    if (kind !== "file" || size < this.#least || this.#isHidden(id, layer)) return undefined;
    this.#running.set(layer, { id, hash: createHash("sha256") });
    return { head: 0 };
  }

  content(layer: number, piece: Buffer): void {
    this.#running.get(layer)?.hash.update(piece);
  }

  leave(_path: string, layer: number): void {
    const running = this.#running.get(layer);
    this.#running.delete(layer);
    if (!running || this.#isHidden(running.id, layer)) return;
    this.#digests.set(running.id, { layer, digest: running.hash.digest("base64") });
  }

  /** Returns the digest of a file; undefined if the layer has none, or a higher one has it. */
  of(id: number | undefined, layer: number): string | undefined {
    const found = id === undefined ? undefined : this.#digests.get(id);
    return found?.layer === layer ? found.digest : undefined;
  }

  *[Symbol.iterator](): Generator<readonly [id: number, layer: number, digest: string]> {
    for (const [id, { layer, digest }] of this.#digests) yield [id, layer, digest];
  }

  #isHidden(id: number, layer: number): boolean {
    return (this.#digests.get(id)?.layer ?? -1) > layer;
  }
}

/** Files with the same content at more than one path. */
export interface Duplicates {
  /** Bytes of one of them. */
  readonly size: number;
  readonly copies: number;
  /** The first few of their paths. */
  readonly paths: readonly string[];
}

export interface AllDuplicates {
  /** What could be saved: all copies but the first. */
  readonly total: FileCount;
  /** The costliest first, at most {@link MAX_LISTED}. */
  readonly list: readonly Duplicates[];
}

const MAX_PATHS = 5;
const MAX_LISTED = 1000;
/** In bytes; smaller duplicates are not worth reporting. */
export const MIN_DUPLICATE_BYTES = 4096;

/**
 * Finds visible files with the same content, of at least {@link MIN_DUPLICATE_BYTES} bytes, among those
 * that `contents` has read.
 * @param counts which of the files are compared
 */
export function findDuplicates(
  view: MergedView,
  contents: Contents,
  counts: (entry: ViewEntry) => boolean = () => true,
): AllDuplicates {
  const found = new Map<string, { readonly size: number; readonly paths: string[] }>();
  for (const [id, layer, digest] of contents) {
    const entry = view.at(id);
    if (entry?.layer !== layer || entry.kind !== "file" || entry.size < MIN_DUPLICATE_BYTES || !counts(entry))
      continue;
    const { size, path } = entry;
    const same = found.get(digest) ?? { size, paths: [] };
    same.paths.push(path);
    found.set(digest, same);
  }
  const all = [...found].filter(([, { paths }]) => paths.length > 1);
  const cost = ({ size, paths }: { readonly size: number; readonly paths: readonly string[] }) =>
    size * (paths.length - 1);
  // Equal costs are sorted by the digest: the same on every machine.
  all.sort(([a, one], [b, other]) => cost(other) - cost(one) || (a < b ? -1 : 1));
  return {
    total: {
      files: all.reduce((sum, [, { paths }]) => sum + paths.length - 1, 0),
      bytes: all.reduce((sum, [, one]) => sum + cost(one), 0),
    },
    list: all.slice(0, MAX_LISTED).map(([, { size, paths }]) => ({
      size,
      copies: paths.length,
      paths: paths.sort().slice(0, MAX_PATHS),
    })),
  };
}

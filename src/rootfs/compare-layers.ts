import { createHash, type Hash } from "node:crypto";
import type { Content } from "../oci/content.ts";
import type { LayerEntry, LayerVisitor, Wanted } from "../tar/layer-entry.ts";
import { scanLayer } from "./scan.ts";
import { MAX_PATHS, tooManyEntries } from "./view/path-tree.ts";

/** A property of an entry in a tar. `attributes`: extended attributes and other PAX records. */
type EntryAspect = (typeof ASPECTS)[number];
const ASPECTS = ["kind", "content", "link", "mode", "owner", "mtime", "attributes"] as const;

/** The number of entries, and a few of their paths. */
export interface Some {
  readonly count: number;
  readonly paths: readonly string[];
}

/**
 * How the tars of two layers differ. If all counts are 0 and `reordered` is false, only the headers
 * are encoded differently.
 */
export interface LayerDifference {
  /** The number of entries in each layer. */
  readonly before: number;
  readonly after: number;
  readonly added: Some;
  readonly removed: Some;
  readonly changed: Readonly<Record<EntryAspect, Some>>;
  /** Whether the same paths are in another order. */
  readonly reordered: boolean;
}

const MAX_LISTED_PATHS = 20;

/**
 * Compares two layers entry by entry.
 * @throws IMAGE_INVALID, IMAGE_UNSUPPORTED and what reading throws.
 */
export async function compareLayers(
  before: Content,
  after: Content,
  signal?: AbortSignal,
): Promise<LayerDifference> {
  const old = new Listing();
  const fresh = new Listing();
  await scanLayer(before, old, { signal });
  await scanLayer(after, fresh, { signal });
  const common = [...old.entries.keys()].filter((path) => fresh.entries.has(path));
  const added = [...fresh.entries.keys()].filter((path) => !old.entries.has(path));
  const removed = [...old.entries.keys()].filter((path) => !fresh.entries.has(path));
  const changed = ASPECTS.map((aspect) => [
    aspect,
    some(common.filter((path) => old.entries.get(path)?.[aspect] !== fresh.entries.get(path)?.[aspect])),
  ]);
  const isSameSet = added.length === 0 && removed.length === 0;
  return {
    before: old.order.length,
    after: fresh.order.length,
    added: some(added),
    removed: some(removed),
    changed: Object.fromEntries(changed) as Record<EntryAspect, Some>,
    reordered: isSameSet && old.order.some((path, index) => fresh.order[index] !== path),
  };
}

function some(paths: readonly string[]): Some {
  return { count: paths.length, paths: paths.slice(0, MAX_LISTED_PATHS) };
}

/** Records the properties of a layer's entries. Of two entries with one path the last counts. */
class Listing implements LayerVisitor {
  /** Paths in the order of the tar. */
  readonly order: string[] = [];
  readonly entries = new Map<string, Record<EntryAspect, string | number>>();
  #hash: Hash | undefined;

  enter(entry: LayerEntry): Wanted | undefined {
    const { path, kind, mode, uid, gid, mtime, link, attributes } = entry;
    this.#hash = undefined;
    if (path === undefined || path === "") return undefined;
    if (this.order.length >= MAX_PATHS) throw tooManyEntries("layer");
    this.order.push(path);
    this.entries.set(path, {
      kind,
      mode,
      mtime,
      link,
      content: "",
      owner: `${uid}:${gid}`,
      attributes: JSON.stringify([...(attributes ?? [])].sort()),
    });
    if (kind === "file") this.#hash = createHash("sha256");
    return kind === "file" ? { head: 0 } : undefined;
  }

  content(_entry: LayerEntry, piece: Buffer): void {
    this.#hash?.update(piece);
  }

  leave({ path = "" }: LayerEntry): void {
    const entry = this.entries.get(path);
    if (entry && this.#hash) entry.content = this.#hash.digest("base64");
  }
}

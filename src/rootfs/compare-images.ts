import type { Layer } from "../oci/image.ts";
import { contentDigests, type SameContents, sameContents } from "./content-digests.ts";
import { byPath, Largest } from "./largest.ts";
import { MergedView, type NumberedPath, type ViewEntry } from "./merged-view.ts";
import { PathTable } from "./path-table.ts";
import { type ImageVisitor, scanImage } from "./scan-image.ts";

/** A file, folder or link, as one of two images has it. */
export type EntryFacts = Omit<ViewEntry, "path">;

/** `content`: other bytes in a file. `kind`: a file became a folder, and so on. */
export type Aspect = "kind" | "content" | "mode" | "link";

export type FileChange = { readonly path: string } & (
  | { readonly change: "added"; readonly after: EntryFacts }
  | { readonly change: "removed"; readonly before: EntryFacts }
  | {
      readonly change: "changed";
      readonly what: readonly Aspect[];
      readonly before: EntryFacts;
      readonly after: EntryFacts;
    }
);

/** How many, and the bytes that they take (`changed`: more than before, or less). */
export interface ChangeSum {
  readonly count: number;
  readonly bytes: number;
}

export interface FileChanges {
  readonly added: ChangeSum;
  readonly removed: ChangeSum;
  readonly changed: ChangeSum;
  /** By path, at most {@link MOST_CHANGES}. */
  readonly list: readonly FileChange[];
}

export const MOST_CHANGES = 10_000;

/** What two images show differently, whichever layers it is in. Times and owners are not looked at. Reads one after the other: the names are kept once. */
export async function compareImages(
  before: readonly Layer[],
  after: readonly Layer[],
  signal?: AbortSignal,
): Promise<FileChanges> {
  const paths = new PathTable(2);
  const old = new MergedView(paths);
  const fresh = new MergedView(paths);
  const same = await read(before, after, old, fresh, signal);
  const changes = new Changes(old, fresh, same);
  for (const place of old.places()) changes.compare(place);
  for (const place of fresh.places()) changes.addFresh(place);
  return changes.all();
}

/** Fills both views. What is in the files of the first is forgotten once it is known which of the second's are the same. */
async function read(
  before: readonly Layer[],
  after: readonly Layer[],
  old: MergedView,
  fresh: MergedView,
  signal: AbortSignal | undefined,
): Promise<SameContents> {
  const digests = contentDigests();
  await readOne(before, old, digests.visitor, signal);
  const same = sameContents(digests);
  await readOne(after, fresh, same.visitor, signal);
  return same;
}

/** @throws IMAGE_INVALID, IMAGE_UNSUPPORTED for a layer that cannot be read to its end: what is not known cannot be compared. */
async function readOne(
  layers: readonly Layer[],
  view: MergedView,
  visitor: ImageVisitor,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { layers: scanned } = await scanImage(layers, { visitor, view, signal });
  for (const one of scanned) if (!one.ok) throw one.broken;
}

/** Without the facts, which are looked up for those that are told. */
interface Found {
  readonly path: string;
  readonly change: FileChange["change"];
  readonly what: readonly Aspect[];
  /** As {@link ChangeSum} counts it. */
  readonly size: number;
}

class Changes {
  readonly #old: MergedView;
  readonly #fresh: MergedView;
  readonly #same: SameContents;
  readonly #sums = {
    added: { count: 0, bytes: 0 },
    removed: { count: 0, bytes: 0 },
    changed: { count: 0, bytes: 0 },
  };
  readonly #list = new Largest<Found>(MOST_CHANGES, byPath);

  constructor(old: MergedView, fresh: MergedView, same: SameContents) {
    this.#old = old;
    this.#fresh = fresh;
    this.#same = same;
  }

  /** Of what the old image has. */
  compare(place: NumberedPath): void {
    const [before, after] = [this.#old.at(place), this.#fresh.at(place)];
    if (!before) return;
    const { path, size } = before;
    if (!after) return void this.#add({ path, change: "removed", what: [], size });
    const what = this.#aspects(place.id, before, after);
    if (what.length > 0) this.#add({ path, change: "changed", what, size: after.size - size });
  }

  /** Of what only the new one has. */
  addFresh(place: NumberedPath): void {
    const entry = this.#old.at(place) ? undefined : this.#fresh.at(place);
    if (entry) this.#add({ path: place.path, change: "added", what: [], size: entry.size });
  }

  #add(found: Found): void {
    const sum = this.#sums[found.change];
    sum.count += 1;
    sum.bytes += found.size;
    this.#list.add(found);
  }

  all(): FileChanges {
    return { ...this.#sums, list: this.#list.list().flatMap((found) => this.#told(found)) };
  }

  #aspects(id: number, before: ViewEntry, after: ViewEntry): readonly Aspect[] {
    if (before.kind !== after.kind) return ["kind"];
    const isSame = before.kind !== "file" || (before.size === after.size && this.#same.has(id));
    return [
      ...(isSame ? [] : (["content"] as const)),
      // A link's mode means nothing (symlink(7)).
      ...(before.kind !== "symlink" && before.mode !== after.mode ? (["mode"] as const) : []),
      ...(before.link === after.link ? [] : (["link"] as const)),
    ];
  }

  #told({ path, change, what }: Found): readonly FileChange[] {
    const [before, after] = [this.#old, this.#fresh].map((view) => factsOf(view.get(path)));
    if (change === "changed") return before && after ? [{ path, change, what, before, after }] : [];
    if (change === "added") return after ? [{ path, change, after }] : [];
    return before ? [{ path, change, before }] : [];
  }
}

function factsOf(entry: ViewEntry | undefined): EntryFacts | undefined {
  if (!entry) return undefined;
  const { kind, mode, size, link, layer } = entry;
  return { kind, mode, size, link, layer };
}

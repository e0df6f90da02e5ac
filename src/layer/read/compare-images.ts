import type { Layer } from "../../oci/image.ts";
import { Contents } from "./contents.ts";
import { byPath, Largest } from "./largest.ts";
import type { MergedView, ViewEntry } from "./merged-view.ts";
import { scanImage } from "./scan-image.ts";

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

export const MOST_CHANGES = 50_000;

/** What two images show differently, whichever layers it is in. Times and owners are not looked at. */
export async function compareImages(
  before: readonly Layer[],
  after: readonly Layer[],
  signal?: AbortSignal,
): Promise<FileChanges> {
  const [old, fresh] = await Promise.all([read(before, signal), read(after, signal)]);
  const changes = new Changes();
  for (const entry of old.view.entries()) changes.addFrom(entry, fresh.view.get(entry.path), old, fresh);
  for (const entry of fresh.view.entries())
    if (!old.view.get(entry.path)) changes.add({ path: entry.path, change: "added", after: factsOf(entry) });
  return changes.all();
}

interface Read {
  readonly view: MergedView;
  readonly contents: Contents;
}

/** @throws IMAGE_INVALID, IMAGE_UNSUPPORTED for a layer that cannot be read to its end: what is not known cannot be compared. */
async function read(layers: readonly Layer[], signal: AbortSignal | undefined): Promise<Read> {
  const contents = new Contents();
  const { view, layers: scanned } = await scanImage(layers, { visitor: contents, signal });
  for (const one of scanned) if (!one.ok) throw one.broken;
  return { view, contents };
}

class Changes {
  readonly #sums = {
    added: { count: 0, bytes: 0 },
    removed: { count: 0, bytes: 0 },
    changed: { count: 0, bytes: 0 },
  };
  readonly #list = new Largest<FileChange & { readonly size: number }>(MOST_CHANGES, byPath);

  addFrom(entry: ViewEntry, other: ViewEntry | undefined, old: Read, fresh: Read): void {
    const { path } = entry;
    const before = factsOf(entry);
    const what = other ? aspects(entry, other, old, fresh) : [];
    if (!other) this.add({ path, change: "removed", before });
    else if (what.length > 0) this.add({ path, change: "changed", what, before, after: factsOf(other) });
  }

  add(change: FileChange): void {
    const size = sizeOf(change);
    const sum = this.#sums[change.change];
    sum.count += 1;
    sum.bytes += size;
    this.#list.add({ ...change, size });
  }

  all(): FileChanges {
    return { ...this.#sums, list: this.#list.list().map(({ size: _, ...change }) => change) };
  }
}

function sizeOf(change: FileChange): number {
  if (change.change === "added") return change.after.size;
  return change.change === "removed" ? change.before.size : change.after.size - change.before.size;
}

function aspects(a: ViewEntry, b: ViewEntry, old: Read, fresh: Read): readonly Aspect[] {
  if (a.kind !== b.kind) return ["kind"];
  const found: Aspect[] = [];
  if (a.kind === "file" && (a.size !== b.size || digestOf(a, old) !== digestOf(b, fresh)))
    found.push("content");
  // A link's mode means nothing (symlink(7)).
  if (a.kind !== "symlink" && a.mode !== b.mode) found.push("mode");
  if (a.link !== b.link) found.push("link");
  return found;
}

function digestOf({ path, layer }: ViewEntry, { view, contents }: Read): string | undefined {
  return contents.of(view.idOf(path) ?? 0, layer);
}

function factsOf({ kind, mode, size, link, layer }: ViewEntry): EntryFacts {
  return { kind, mode, size, link, layer };
}

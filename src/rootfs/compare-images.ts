import type { Layer } from "../oci/image.ts";
import { Contents } from "./contents.ts";
import { byPath } from "./largest.ts";
import { scanImage } from "./scan-image.ts";
import { MergedView, type ViewEntry } from "./view/merged-view.ts";

/** A file, directory or link, as one of two images has it. */
type EntryFacts = Omit<ViewEntry, "path">;

/** `content`: other bytes in a file. `kind`: a file became a directory, and so on. */
type Aspect = "kind" | "content" | "mode" | "link";

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

/** The number of changes, and their bytes (`changed`: the difference, which may be negative). */
interface ChangeSum {
  readonly count: number;
  readonly bytes: number;
}

export interface FileChanges {
  readonly added: ChangeSum;
  readonly removed: ChangeSum;
  readonly changed: ChangeSum;
  /** Sorted by path, at most {@link MAX_CHANGES}. */
  readonly list: readonly FileChange[];
}

const MAX_CHANGES = 10_000;

/**
 * Compares the visible files of two images, whatever their layers. Ignores mtimes and owners.
 * @throws IMAGE_INVALID, IMAGE_UNSUPPORTED for a layer that cannot be read to its end.
 */
export async function compareImages(
  before: readonly Layer[],
  after: readonly Layer[],
  signal?: AbortSignal,
): Promise<FileChanges> {
  const old = await readImage(before, signal);
  const fresh = await readImage(after, signal);
  const changes: FileChange[] = [];
  for (const [path, one] of old) {
    const other = fresh.get(path);
    if (!other) changes.push({ path, change: "removed", before: one.facts });
    else {
      const what = aspectsOf(one, other);
      if (what.length > 0)
        changes.push({ path, change: "changed", what, before: one.facts, after: other.facts });
    }
  }
  for (const [path, { facts }] of fresh)
    if (!old.has(path)) changes.push({ path, change: "added", after: facts });
  return {
    added: sumOf(changes, "added"),
    removed: sumOf(changes, "removed"),
    changed: sumOf(changes, "changed"),
    list: changes.sort(byPath).slice(0, MAX_CHANGES),
  };
}

/** The facts of an entry, and the digest of a file's content. */
interface SeenEntry {
  readonly facts: EntryFacts;
  readonly digest: string | undefined;
}

async function readImage(
  layers: readonly Layer[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, SeenEntry>> {
  const contents = new Contents();
  const view = new MergedView();
  const { layers: scanned } = await scanImage(layers, { visitor: contents, view, signal });
  for (const one of scanned) if (!one.ok) throw one.broken;
  const seen = new Map<string, SeenEntry>();
  for (const { path, ...facts } of view.entries())
    seen.set(path, { facts, digest: contents.of(view.idOf(path), facts.layer) });
  return seen;
}

function aspectsOf(before: SeenEntry, after: SeenEntry): readonly Aspect[] {
  const [one, other] = [before.facts, after.facts];
  if (one.kind !== other.kind) return ["kind"];
  const aspects: Aspect[] = [];
  if (before.digest !== after.digest) aspects.push("content");
  // A link's mode means nothing (symlink(7)).
  if (one.kind !== "symlink" && one.mode !== other.mode) aspects.push("mode");
  if (one.link !== other.link) aspects.push("link");
  return aspects;
}

function sumOf(changes: readonly FileChange[], kind: FileChange["change"]): ChangeSum {
  const own = changes.filter(({ change }) => change === kind);
  return { count: own.length, bytes: own.reduce((sum, change) => sum + bytesOf(change), 0) };
}

function bytesOf(change: FileChange): number {
  if (change.change === "added") return change.after.size;
  return change.change === "removed" ? change.before.size : change.after.size - change.before.size;
}

import { mapConcurrent } from "../async/concurrency.ts";
import { hasCode, LambdaPackError } from "../errors.ts";
import type { Content } from "../oci/content.ts";
import { parentOf } from "../tar/entry.ts";
import type { LayerEntry, LayerVisitor, Wanted } from "../tar/layer-entry.ts";
import { entryPath } from "../tar/layer-entry.ts";
import { type Budget, type LayerScan, MAX_IMAGE_BYTES, scanLayer } from "./scan.ts";
import { MergedView } from "./view/merged-view.ts";
import { MAX_PATHS } from "./view/path-tree.ts";

/**
 * Receives the contents that it asks for. Layers come in any order: a higher layer may replace a
 * file that was seen before.
 */
export interface ImageVisitor {
  /** Called for entries with a path in the image. `id` is the number of the path in the view. */
  enter(entry: LayerEntry, path: string, layer: number, id: number): Wanted | undefined;
  /**
   * Called with the content of the file that was entered last in this layer, piece by piece. A
   * piece is only valid during the call.
   */
  content?(layer: number, piece: Buffer): void;
  leave(path: string, layer: number, size: number, head: Buffer, tail: Buffer): void;
}

interface ImageScanOptions {
  readonly visitor?: ImageVisitor | undefined;
  /** The view to fill. Default: a new one. */
  readonly view?: MergedView | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * `broken`: why a layer could not be read to its end; the view has the entries before that. `over`:
 * whether that is because the image is larger than Lambda takes.
 */
export type ScannedLayer = { readonly faults: Faults } & (
  | { readonly ok: true; readonly scan: LayerScan }
  | { readonly ok: false; readonly broken: LambdaPackError; readonly over: boolean }
);

export interface ImageScan {
  /** The merged file system of all layers. */
  readonly view: MergedView;
  /** In the order in which they were given, the base first. */
  readonly layers: readonly ScannedLayer[];
}

/** Node inflates in four threads; each layer that is being read takes about 4 MiB. */
const LAYERS_AT_ONCE = 4;

/**
 * Reads all layers once, several at the same time, and writes nothing to disk. A layer is `broken`
 * when the image exceeds 10 GiB or 300,000 paths.
 * @throws what reading the contents throws, and the signal's reason.
 */
export async function scanImage(
  layers: readonly Content[],
  options: ImageScanOptions = {},
): Promise<ImageScan> {
  const { view = new MergedView() } = options;
  const budget: Budget = { left: MAX_IMAGE_BYTES };
  const inOrder = [...layers.entries()];
  const scanned = await mapConcurrent(
    inOrder,
    { limit: LAYERS_AT_ONCE, signal: options.signal },
    ([index, layer], signal) => scanOne(layer, index, view, budget, { ...options, signal }),
  );
  return { view, layers: scanned };
}

async function scanOne(
  layer: Content,
  index: number,
  view: MergedView,
  budget: Budget,
  { visitor, signal }: ImageScanOptions,
): Promise<ScannedLayer> {
  const faults = new Faults();
  try {
    const scan = await scanLayer(layer, watch(index, view, faults, visitor), { budget, signal });
    return { ok: true, scan, faults };
  } catch (error) {
    const isBroken = hasCode(error, "IMAGE_INVALID", "IMAGE_UNSUPPORTED");
    if (!(error instanceof LambdaPackError) || !isBroken) throw error;
    return { ok: false, broken: error, over: budget.left < 0, faults };
  }
}

function watch(
  layer: number,
  view: MergedView,
  faults: Faults,
  visitor: ImageVisitor | undefined,
): LayerVisitor {
  /** By the number of a path: 1 if this layer has an entry for it. */
  const seen = new Uint8Array(MAX_PATHS + 1);
  return {
    enter(entry) {
      const { name, path, kind } = entry;
      if (path === undefined) faults.add({ kind: "place", name, detail: "" });
      if (path === undefined || path === "") return undefined;
      const id = view.add(layer, entry, path);
      const parent = parentOf(path);
      if (parent !== "" && seen[view.parentOf(id)] !== 1)
        faults.add({ kind: "parent", name, detail: parent });
      judge(entry, (other) => seen[view.idOf(other) ?? 0] === 1, faults);
      if (seen[id] === 1) faults.add({ kind: "duplicate", name, detail: kind });
      seen[id] = 1;
      return visitor?.enter(entry, path, layer, id);
    },
    ...(visitor?.content && {
      content: (_entry: LayerEntry, piece: Buffer) => visitor.content?.(layer, piece),
    }),
    leave({ path = "", size }, head, tail) {
      visitor?.leave(path, layer, size, head, tail);
    },
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const STRANGE = /[\u0000-\u001f\u007f\\\ufffd\udc80-\udcff]/u;

function judge({ name, kind, link }: LayerEntry, isSeen: (path: string) => boolean, faults: Faults): void {
  if (kind === "device" || kind === "fifo" || kind === "other")
    faults.add({ kind: "kind", name, detail: kind });
  if (STRANGE.test(name)) faults.add({ kind: "characters", name, detail: "" });
  if (kind !== "hardlink") return;
  const target = entryPath(link);
  if (target === undefined || !isSeen(target)) faults.add({ kind: "hardlink", name, detail: link });
}

/**
 * The faults that single entries of a layer can have: `parent` (no entry for its directory before
 * it), `duplicate`, `place` (its name is not a path in an image), `kind` (neither file, directory
 * nor link), `hardlink` (no entry for its target before it), `characters` (control characters, a
 * backslash, or not UTF-8).
 */
export type FaultKind = "parent" | "duplicate" | "place" | "kind" | "hardlink" | "characters";

export interface Fault {
  readonly kind: FaultKind;
  /** The name of the entry, as the tar has it. */
  readonly name: string;
  /** The missing directory, the target of the link, or the kind of the entry. */
  readonly detail: string;
}

/** More faults of a kind are only counted. */
const MAX_KEPT = 100;

/** The faults of one layer. */
export class Faults {
  readonly #counts = new Map<FaultKind, number>();
  readonly #kept: Fault[] = [];

  add(fault: Fault): void {
    const count = this.count(fault.kind);
    this.#counts.set(fault.kind, count + 1);
    if (count < MAX_KEPT) this.#kept.push(fault);
  }

  count(kind: FaultKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** Returns the first hundred faults of a kind. */
  of(kind: FaultKind): readonly Fault[] {
    return this.#kept.filter((fault) => fault.kind === kind);
  }
}

import type { Layer } from "../oci/image.ts";
import { type Cache, Caches } from "./caches.ts";
import { Contents, type Duplicates, findDuplicates, MIN_DUPLICATE_BYTES } from "./contents.ts";
import { bySize, Largest } from "./largest.ts";
import { MAX_IMAGE_BYTES } from "./scan.ts";
import { type ImageScan, type ScannedLayer, scanImage } from "./scan-image.ts";
import type { FileCount } from "./view/hidden-files.ts";
import type { MergedView } from "./view/merged-view.ts";

/** The contents of a layer. Sizes in bytes. */
export interface LayerContents {
  /** The size of the tar, which Lambda limits; for a broken layer, of the files read. */
  readonly bytes: number;
  readonly entries: number;
  readonly files: number;
  /** The size of its files. */
  readonly fileBytes: number;
  /** Files that higher layers replace or remove: they are sent and stored, but never visible. */
  readonly hidden: FileCount;
  /** Files of lower layers that this layer hides. */
  readonly hides: FileCount;
  /** Why it could not be read to its end, or is not what the image says. */
  readonly broken?: string;
}

/** A visible file of the image. Its path has no slash at either end. */
export interface ImageFile {
  readonly path: string;
  readonly size: number;
  /** Index of its layer; 0 is the lowest. */
  readonly layer: number;
}

export interface HiddenFile extends ImageFile {
  /** The layer that hides it, and how. */
  readonly by: number;
  readonly how: "replaced" | "removed";
}

/** Everything that takes up space in an image. */
export interface ImageUsage {
  readonly layers: readonly LayerContents[];
  readonly contents: InspectedContents;
}

export interface InspectedContents {
  /** The uncompressed size of all layers. */
  readonly bytes: number;
  /** Lambda's limit for that size. */
  readonly limit: number;
  /** The visible files, and their bytes. */
  readonly seen: FileCount;
  /** The largest first, at most 20,000; `omitted` counts the rest. */
  readonly files: readonly ImageFile[];
  readonly omitted: FileCount;
  readonly waste: {
    /** Files that higher layers replace or remove. The largest first, at most 1000. */
    readonly hidden: readonly HiddenFile[];
    /** The total of all hidden files. */
    readonly hiddenTotal: FileCount;
    /** Files with the same content, the most wasteful first; at most 1000. */
    readonly duplicates: readonly Duplicates[];
    /** The total of all copies except the first of each. */
    readonly duplicatesTotal: FileCount;
    readonly caches: readonly Cache[];
  };
}

export const MAX_FILES = 20_000;
const MAX_HIDDEN = 1000;

/**
 * Reads all layers once, several at the same time. A layer that cannot be read has `broken` set.
 * @throws what reading throws.
 */
export async function measureUsage(layers: readonly Layer[], signal?: AbortSignal): Promise<ImageUsage> {
  const contents = new Contents(MIN_DUPLICATE_BYTES);
  const scan = await scanImage(layers, { visitor: contents, signal });
  const { view } = scan;
  const files = new Largest<ImageFile>(MAX_FILES, bySize);
  const caches = new Caches();
  const seen = { files: 0, bytes: 0 };
  for (const { path, kind, size, layer } of view.entries()) {
    if (kind !== "file") continue;
    seen.files += 1;
    seen.bytes += size;
    files.add({ path, size, layer });
    caches.add(path, size);
  }
  const duplicates = findDuplicates(view, contents);
  const used = layerContents(layers, scan);
  const sum = (count: (layer: LayerContents) => number) => used.reduce((all, one) => all + count(one), 0);
  return {
    layers: used,
    contents: {
      bytes: sum(({ bytes }) => bytes),
      limit: MAX_IMAGE_BYTES,
      seen,
      files: files.list(),
      omitted: files.dropped,
      waste: {
        hidden: hiddenFiles(view),
        hiddenTotal: { files: sum(({ hidden }) => hidden.files), bytes: sum(({ hidden }) => hidden.bytes) },
        duplicates: duplicates.list,
        duplicatesTotal: duplicates.total,
        caches: caches.list(),
      },
    },
  };
}

const NO_FILES: FileCount = { files: 0, bytes: 0 };

function layerContents(layers: readonly Layer[], { view, layers: scanned }: ImageScan) {
  const totals = view.totals();
  return layers.map((layer, index): LayerContents => {
    const { entries = 0, files = 0, bytes = 0, hidden = NO_FILES, hides = NO_FILES } = totals[index] ?? {};
    const found = scanned[index];
    const broken = found && faultOf(layer, found);
    return {
      bytes: found?.ok ? found.scan.bytes : bytes,
      entries,
      files,
      fileBytes: bytes,
      hidden,
      hides,
      ...(broken !== undefined && { broken }),
    };
  });
}

function faultOf({ descriptor, diffId }: Layer, found: ScannedLayer): string | undefined {
  if (!found.ok) return found.broken.message;
  if (found.scan.digest !== descriptor.digest)
    return `the source gave bytes with the digest ${found.scan.digest}`;
  if (found.scan.diffId === diffId) return undefined;
  return `its diffId is ${found.scan.diffId}, and the config says ${diffId}`;
}

function hiddenFiles(view: MergedView): readonly HiddenFile[] {
  const hidden = new Largest<HiddenFile>(MAX_HIDDEN, bySize);
  for (const { path, size, layer, by } of view.replaced())
    hidden.add({ path, size, layer, by, how: "replaced" });
  for (const { path, kind, size, layer, by } of view.removed())
    if (kind === "file") hidden.add({ path, size, layer, by, how: "removed" });
  return hidden.list();
}

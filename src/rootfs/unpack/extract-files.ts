import { closeSync, openSync, writeSync } from "node:fs";
import { writeFailed } from "../../blobs/disk.ts";
import type { Content } from "../../oci/content.ts";
import type { FileEntry } from "../../tar/entry.ts";
import type { LayerEntry, Wanted } from "../../tar/layer-entry.ts";
import { type ImageVisitor, scanImage } from "../scan-image.ts";
import type { MergedView } from "../view/merged-view.ts";

export interface ExtractOptions {
  /** Paths in the image whose files are wanted, with everything below them; "" is everything. */
  readonly paths: readonly string[];
  /** The file that receives the contents, one after the other. It must not exist yet. */
  readonly file: string;
  readonly signal: AbortSignal;
}

export type ExtractedFiles = Awaited<ReturnType<typeof extractFiles>>;

/**
 * Reads all layers of an image once and stores the contents of the wanted files.
 * @throws IMAGE_INVALID or IMAGE_UNSUPPORTED for a layer that cannot be read; WRITE_FAILED; what
 * reading throws.
 */
export async function extractFiles(layers: readonly Content[], { paths, file, signal }: ExtractOptions) {
  const writer = new Writer(paths, file);
  try {
    const { view, layers: scanned } = await scanImage(layers, { visitor: writer, signal });
    for (const layer of scanned) if (!layer.ok) throw layer.broken;
    return {
      view,
      /** Returns the content of a file, which may be a hard link; undefined: it was not wanted. */
      contentOf: (path: string) => writer.contentOf(view, path),
    };
  } finally {
    writer.close();
  }
}

interface Kept {
  readonly layer: number;
  readonly offset: number;
  readonly size: number;
}

class Writer implements ImageVisitor {
  readonly #paths: readonly string[];
  readonly #file: string;
  readonly #descriptor: number;
  /** The contents in the highest layer, by the number of the path in the view. */
  readonly #kept = new Map<number, Kept>();
  /** The offset for the next piece of the file that is being read, by layer. */
  readonly #positions = new Map<number, number>();
  #end = 0;

  constructor(paths: readonly string[], file: string) {
    this.#paths = paths;
    this.#file = file;
    this.#descriptor = this.#try(() => openSync(file, "wx", 0o600));
  }

  enter({ kind, size }: LayerEntry, path: string, layer: number, id: number): Wanted | undefined {
    if (kind !== "file" || !this.#isWanted(path) || (this.#kept.get(id)?.layer ?? -1) > layer)
      return undefined;
    this.#kept.set(id, { layer, offset: this.#end, size });
    this.#positions.set(layer, this.#end);
    this.#end += size;
    return { head: 0 };
  }

  content(layer: number, piece: Buffer): void {
    let position = this.#positions.get(layer);
    if (position === undefined) return;
    for (let at = 0; at < piece.length; ) {
      const [from, to] = [at, position];
      const count = this.#try(() => writeSync(this.#descriptor, piece, from, piece.length - from, to));
      at += count;
      position += count;
    }
    this.#positions.set(layer, position);
  }

  leave(_path: string, layer: number): void {
    this.#positions.delete(layer);
  }

  contentOf(view: MergedView, path: string): Pick<FileEntry, "source" | "offset" | "size"> | undefined {
    const found = view.get(path);
    const entry = found?.kind === "hardlink" ? view.resolve(path) : found;
    const id = entry && view.idOf(entry.path);
    const kept = id === undefined ? undefined : this.#kept.get(id);
    if (entry?.kind !== "file" || kept?.layer !== entry.layer) return undefined;
    return { source: this.#file, offset: kept.offset, size: kept.size };
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #isWanted(path: string): boolean {
    return this.#paths.some((wanted) => wanted === "" || path === wanted || path.startsWith(`${wanted}/`));
  }

  #try<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw writeFailed(this.#file, error);
    }
  }
}

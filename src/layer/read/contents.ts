import { createHash, type Hash } from "node:crypto";
import { shorts, TextList, words } from "./columns.ts";
import type { ImageVisitor } from "./scan-image.ts";
import type { LayerEntry, Wanted } from "./tar-walk.ts";

/** Half of a SHA-256: nobody makes two files that share it (2^64 tries). */
const DIGEST_BYTES = 16;
/** The index of the digest of a file without content, which need not be made. */
const EMPTY = 0;

/**
 * What is in the files of an image, as digests by the numbers of their paths: of each path the content of the highest layer is kept.
 * A million files take some 25 MB.
 */
export class Contents implements ImageVisitor {
  /** Layer + 1 of the digest of each path; 0 where there is none. */
  readonly #layers = shorts();
  /** Of its digest, + 1. */
  readonly #indexes = words();
  readonly #digests = new TextList();
  /** Of the file that is being read, by layer. */
  readonly #running = new Map<number, { readonly id: number; readonly hash: Hash }>();

  enter({ kind, size }: LayerEntry, _path: string, layer: number, id: number): Wanted | undefined {
    if (kind !== "file" || layer + 1 < this.#layers.get(id)) return undefined;
    if (size === 0) {
      this.#keep(id, layer, EMPTY);
      return undefined;
    }
    this.#running.set(layer, { id, hash: createHash("sha256") });
    return { head: 0 };
  }

  content(layer: number, piece: Buffer): void {
    this.#running.get(layer)?.hash.update(piece);
  }

  leave(_path: string, layer: number): void {
    const running = this.#running.get(layer);
    this.#running.delete(layer);
    if (!running || layer + 1 < this.#layers.get(running.id)) return;
    this.#keep(running.id, layer, this.#digests.add(running.hash.digest().subarray(0, DIGEST_BYTES)) + 1);
  }

  #keep(id: number, layer: number, index: number): void {
    this.#layers.set(id, layer + 1);
    this.#indexes.set(id, index);
  }

  /** 32 hex digits, "" for an empty file; undefined where layer `layer` has no file with that number, or a higher one has. */
  of(id: number, layer: number): string | undefined {
    if (this.#layers.get(id) !== layer + 1) return undefined;
    const index = this.#indexes.get(id);
    return index === EMPTY ? "" : this.#digests.at(index - 1).toString("hex");
  }
}

import { createHash, type Hash } from "node:crypto";
import { shorts, words } from "./columns.ts";
import { DigestTable } from "./digest-table.ts";
import type { ImageVisitor } from "./scan-image.ts";
import type { LayerEntry, Wanted } from "./tar-walk.ts";

/** Half of a SHA-256: nobody makes two files that share it (2^64 tries). */
const DIGEST_BYTES = 16;
/** Of a file without content, whose digest need not be made. */
const EMPTY = 0;
/** Of a content that what it is compared with has nowhere. */
const UNKNOWN = 0xffff_ffff;

/**
 * What is in the files of an image, as numbers that are the same for the same content, by the numbers of their paths: of each path the content of the
 * highest layer is kept. A million files take some 35 MB.
 */
export class Contents implements ImageVisitor {
  /** Layer + 1 of the digest of each path; 0 where there is none. */
  readonly #layers = shorts();
  readonly #numbers = words();
  #digests = new DigestTable();
  #others: DigestTable | undefined;
  readonly #least: number;
  /** Of the file that is being read, by layer. */
  readonly #running = new Map<number, { readonly id: number; readonly hash: Hash }>();

  /**
   * Files of less than `least` bytes are not looked into. `others`: with what this is compared, and which is complete: then numbers are those that it gave,
   * and all that it does not know has one and the same.
   */
  constructor({ least = 0, others }: { readonly least?: number; readonly others?: Contents } = {}) {
    this.#least = least;
    if (others) this.#others = others.#digests;
  }

  /** The highest number that a content has. */
  get size(): number {
    return this.#digests.size;
  }

  enter({ kind, size }: LayerEntry, _path: string, layer: number, id: number): Wanted | undefined {
    if (kind !== "file" || size < this.#least || layer + 1 < this.#layers.get(id)) return undefined;
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
    this.#keep(running.id, layer, this.#numberOf(running.hash.digest().subarray(0, DIGEST_BYTES)));
  }

  /** Afterwards the numbers are all that is left, and nothing can be added. A million digests have some 30 MB. */
  forgetDigests(): void {
    this.#digests = new DigestTable();
    this.#others = undefined;
  }

  #numberOf(digest: Buffer): number {
    return this.#others ? this.#others.find(digest) || UNKNOWN : this.#digests.add(digest);
  }

  #keep(id: number, layer: number, number: number): void {
    this.#layers.set(id, layer + 1);
    this.#numbers.set(id, number);
  }

  /** The number of the content, 0 for an empty file; undefined where layer `layer` has no file with that number, or a higher one has. */
  of(id: number, layer: number): number | undefined {
    return this.#layers.get(id) === layer + 1 ? this.#numbers.get(id) : undefined;
  }
}

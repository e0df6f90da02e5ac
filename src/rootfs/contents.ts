import { createHash, type Hash } from "node:crypto";
import type { LayerEntry, Wanted } from "../tar/layer-entry.ts";
import { shorts, words } from "./columns.ts";
import { DigestTable } from "./digest-table.ts";
import type { ImageVisitor } from "./scan-image.ts";

/** Half of a SHA-256: nobody makes two files that share it (2^64 tries). */
const DIGEST_BYTES = 16;
/** Of a file without content, whose digest need not be made. */
const EMPTY = 0;

/**
 * What is in the files of an image, as numbers that are the same for the same content, by the numbers of their paths: of each path the content of the
 * highest layer is kept. A million files take some 35 MB.
 */
export class Contents implements ImageVisitor {
  /** Layer + 1 of the digest of each path; 0 where there is none. */
  readonly #layers = shorts();
  readonly #numbers = words();
  readonly #digests = new DigestTable();
  readonly #least: number;
  /** Of the file that is being read, by layer. */
  readonly #running = new Map<number, { readonly id: number; readonly hash: Hash }>();

  /** Files of less than `least` bytes are not looked into. */
  constructor(least = 0) {
    this.#least = least;
  }

  /** The highest number that a content has. */
  get size(): number {
    return this.#digests.size;
  }

  /** An order of two contents that does not depend on which was read first. */
  compare(a: number, b: number): number {
    return this.#digests.compare(a, b);
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
    this.#keep(running.id, layer, this.#digests.add(running.hash.digest().subarray(0, DIGEST_BYTES)));
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

import { createHash, type Hash } from "node:crypto";
import type { LayerEntry, Wanted } from "../tar/layer-entry.ts";
import type { ImageVisitor } from "./scan-image.ts";

/**
 * SHA-256 of files of an image, by the number of their path; for each path, that of the highest
 * layer.
 */
export class Contents implements ImageVisitor {
  readonly #digests = new Map<number, { readonly layer: number; readonly digest: string }>();
  readonly #least: number;
  /** The file that is being read, by layer. */
  readonly #running = new Map<number, { readonly id: number; readonly hash: Hash }>();

  /** @param least files of fewer bytes are not hashed */
  constructor(least = 0) {
    this.#least = least;
  }

  enter({ kind, size }: LayerEntry, _path: string, layer: number, id: number): Wanted | undefined {
    if (kind !== "file" || size < this.#least || this.#isHidden(id, layer)) return undefined;
    this.#running.set(layer, { id, hash: createHash("sha256") });
    return { head: 0 };
  }

  content(layer: number, piece: Buffer): void {
    this.#running.get(layer)?.hash.update(piece);
  }

  leave(_path: string, layer: number): void {
    const running = this.#running.get(layer);
    this.#running.delete(layer);
    if (!running || this.#isHidden(running.id, layer)) return;
    this.#digests.set(running.id, { layer, digest: running.hash.digest("base64") });
  }

  /**
   * Returns the digest of a file; undefined if this layer has no file with that number, or a higher
   * layer has one.
   */
  of(id: number | undefined, layer: number): string | undefined {
    const found = id === undefined ? undefined : this.#digests.get(id);
    return found?.layer === layer ? found.digest : undefined;
  }

  *[Symbol.iterator](): Generator<readonly [id: number, layer: number, digest: string]> {
    for (const [id, { layer, digest }] of this.#digests) yield [id, layer, digest];
  }

  #isHidden(id: number, layer: number): boolean {
    return (this.#digests.get(id)?.layer ?? -1) > layer;
  }
}

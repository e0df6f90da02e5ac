import { createHash, type Hash } from "node:crypto";
import { bytes, shorts, words } from "./columns.ts";
import type { ImageVisitor } from "./scan-image.ts";

/** Half of a SHA-256, in words: nobody makes two files that share it (2^64 tries). */
const DIGEST_WORDS = 4;

/** Hands over the SHA-256 of each file by the number of its path; of one that is in several layers, that of the highest comes last. */
function hashing(take: (id: number, digest: Buffer) => void): ImageVisitor {
  /** Layer + 1 of what was handed over of each path; 0 where that is nothing. */
  const layers = shorts();
  /** Of the file that is being read, by layer. */
  const running = new Map<number, { readonly id: number; readonly hash: Hash }>();
  return {
    enter({ kind }, _path, layer, id) {
      if (kind !== "file" || layer + 1 < layers.get(id)) return undefined;
      running.set(layer, { id, hash: createHash("sha256") });
      return { head: 0 };
    },
    content: (layer, piece) => void running.get(layer)?.hash.update(piece),
    leave(_path, layer) {
      const file = running.get(layer);
      running.delete(layer);
      if (!file || layer + 1 < layers.get(file.id)) return;
      layers.set(file.id, layer + 1);
      take(file.id, file.hash.digest());
    },
  };
}

/** What is in the files of an image, by the numbers of their paths. A million files take some 18 MB. */
export interface ContentDigests {
  /** Sees the image. */
  readonly visitor: ImageVisitor;
  /** Whether the file has this content. */
  readonly is: (id: number, digest: Buffer) => boolean;
}

export function contentDigests(): ContentDigests {
  const columns = Array.from({ length: DIGEST_WORDS }, () => words());
  return {
    visitor: hashing((id, digest) => {
      for (const [index, column] of columns.entries()) column.set(id, digest.readUInt32LE(index * 4));
    }),
    is: (id, digest) => columns.every((column, index) => column.get(id) === digest.readUInt32LE(index * 4)),
  };
}

/** Which files of an image have the content of the file at the same place in another one. A million files take some 3 MB. */
export interface SameContents {
  /** Sees the image. */
  readonly visitor: ImageVisitor;
  readonly has: (id: number) => boolean;
}

/** `others`: complete. */
export function sameContents(others: ContentDigests): SameContents {
  const same = bytes();
  return {
    visitor: hashing((id, digest) => same.set(id, others.is(id, digest) ? 1 : 0)),
    has: (id) => same.get(id) === 1,
  };
}

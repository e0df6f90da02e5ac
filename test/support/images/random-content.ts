import { createHash } from "node:crypto";
import { type Content, contentOf } from "../../../src/oci/content.ts";

/** Bytes that follow from the seed, the same in every process, and do not compress. */
export function bytesOf(seed: string, size: number): Buffer {
  return createHash("shake256", { outputLength: size }).update(seed).digest();
}

export function contentFrom(seed: string, size = 100_000): Content {
  return contentOf("application/vnd.oci.image.layer.v1.tar+gzip", bytesOf(seed, size));
}

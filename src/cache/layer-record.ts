import type { Descriptor } from "../oci/content.ts";
import { type Digest, parseDigest } from "../oci/digest.ts";
import { parseDescriptor } from "../oci/documents.ts";
import { count, field, type Json, string } from "../oci/json.ts";

/** What a fingerprint stands for. */
export interface LayerRecord {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  readonly files: number;
  /** Uncompressed. */
  readonly bytes: number;
}

export function parseLayerRecord(json: Json): LayerRecord {
  return {
    descriptor: parseDescriptor(field(json, "descriptor")),
    diffId: parseDigest(string(field(json, "diffId"))),
    files: count(field(json, "files")),
    bytes: count(field(json, "bytes")),
  };
}

import type { Descriptor } from "../oci/content.ts";
import { type Digest, parseDigest } from "../oci/digest.ts";
import { parseDescriptor } from "../oci/documents.ts";
import { field, items, type Json, optional, string, strings } from "../oci/json.ts";

/** What a build came to. */
export interface BuildRecord {
  /** Of its topmost layer: the record goes when the cache no longer has that. */
  readonly descriptor: Descriptor;
  /** What the image starts with; undefined: as its base. */
  readonly cmd: readonly string[] | undefined;
  /** Those on top of the base. */
  readonly layers: readonly { readonly name: string; readonly fingerprint: Digest }[];
  /** What the user was told of the image. */
  readonly warnings: readonly { readonly message: string; readonly hint: string }[];
}

const MOST = 10_000;

export function parseBuildRecord(json: Json): BuildRecord {
  return {
    descriptor: parseDescriptor(field(json, "descriptor")),
    cmd: optional(field(json, "cmd"), strings),
    layers: items(field(json, "layers"), MOST).map((layer) => ({
      name: string(field(layer, "name")),
      fingerprint: parseDigest(string(field(layer, "fingerprint"))),
    })),
    warnings: items(field(json, "warnings"), MOST).map((warning) => ({
      message: string(field(warning, "message")),
      hint: string(field(warning, "hint")),
    })),
  };
}

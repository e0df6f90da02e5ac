import type { Descriptor } from "../oci/content.ts";
import { type Digest, parseDigest } from "../oci/digest.ts";
import { parseDescriptor } from "../oci/documents.ts";
import { field, items, type Json, string } from "../oci/json.ts";

/** A layer by its name in the image and what made its bytes. */
export interface NamedLayer {
  readonly name: string;
  readonly fingerprint: Digest;
}

/** What an installation of dependencies came to. */
interface InstallationRecord {
  /** Of the last layer: the record is removed when the cache no longer has that. */
  readonly descriptor: Descriptor;
  readonly layers: readonly NamedLayer[];
}

/** More than an image can have. */
const MOST = 1000;

export function parseInstallationRecord(json: Json): InstallationRecord {
  return {
    descriptor: parseDescriptor(field(json, "descriptor")),
    layers: items(field(json, "layers"), MOST).map((layer) => ({
      name: string(field(layer, "name")),
      fingerprint: parseDigest(string(field(layer, "fingerprint"))),
    })),
  };
}

import type { Descriptor } from "../oci/content.ts";
import { type Digest, parseDigest } from "../oci/digest.ts";
import { parseDescriptor } from "../oci/documents.ts";
import { field, type Json, string } from "../oci/json.ts";

/** What a state of files on this machine means. */
interface SignatureRecord {
  /** The layer's: the record goes when the cache no longer has it. */
  readonly descriptor: Descriptor;
  readonly fingerprint: Digest;
}

export function parseSignatureRecord(json: Json): SignatureRecord {
  return {
    descriptor: parseDescriptor(field(json, "descriptor")),
    fingerprint: parseDigest(string(field(json, "fingerprint"))),
  };
}

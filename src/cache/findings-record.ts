import type { Descriptor } from "../oci/content.ts";
import { parseDescriptor } from "../oci/documents.ts";
import { field, type Json, string } from "../oci/json.ts";

/** What a check of an image found. */
interface FindingsRecord {
  /** Of the image's topmost layer: the record is removed when the cache no longer has that. */
  readonly descriptor: Descriptor;
  /** JSON, which only the check itself reads. */
  readonly findings: string;
}

export function parseFindingsRecord(json: Json): FindingsRecord {
  return {
    descriptor: parseDescriptor(field(json, "descriptor")),
    findings: string(field(json, "findings")),
  };
}

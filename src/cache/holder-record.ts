import type { Descriptor } from "../oci/content.ts";
import { parseDescriptor } from "../oci/documents.ts";
import { field, type Json, string } from "../oci/json.ts";

/** Where in a registry a blob was sent. */
export interface HolderRecord {
  /** The record is removed when the cache no longer has this blob. */
  readonly descriptor: Descriptor;
  readonly repository: string;
}

export function parseHolderRecord(json: Json): HolderRecord {
  return {
    descriptor: parseDescriptor(field(json, "descriptor")),
    repository: string(field(json, "repository")),
  };
}

import type { Descriptor } from "../oci/content.ts";
import { type Digest, parseDigest } from "../oci/digest.ts";
import { parseDescriptor } from "../oci/documents.ts";
import { count, field, items, type Json, string } from "../oci/json.ts";

/** A record about a blob. It is removed when the cache no longer has the blob. */
export interface BlobRecord {
  readonly descriptor: Descriptor;
}

export function parseBlobRecord(json: Json): BlobRecord {
  return { descriptor: parseDescriptor(field(json, "descriptor")) };
}

/** The layer with a fingerprint. */
export interface LayerRecord extends BlobRecord {
  readonly diffId: Digest;
  readonly files: number;
  /** Uncompressed. */
  readonly bytes: number;
}

export function parseLayerRecord(json: Json): LayerRecord {
  return {
    ...parseBlobRecord(json),
    diffId: digest(json, "diffId"),
    files: count(field(json, "files")),
    bytes: count(field(json, "bytes")),
  };
}

/** Parses the fingerprint of a state of files on this machine; the blob is its layer. */
export function parseSignatureRecord(json: Json): BlobRecord & { readonly fingerprint: Digest } {
  return { ...parseBlobRecord(json), fingerprint: digest(json, "fingerprint") };
}

/**
 * Parses the findings of a check, as JSON that only the check reads; the blob is the last layer.
 */
export function parseFindingsRecord(json: Json): BlobRecord & { readonly findings: string } {
  return { ...parseBlobRecord(json), findings: string(field(json, "findings")) };
}

/** Parses the repository that a blob was sent to. */
export function parseHolderRecord(json: Json): BlobRecord & { readonly repository: string } {
  return { ...parseBlobRecord(json), repository: string(field(json, "repository")) };
}

/** A layer: its name in the image, and the fingerprint that it is cached under. */
export interface NamedLayer {
  readonly name: string;
  readonly fingerprint: Digest;
}

const MAX_LAYERS = 1000;

/** Parses the layers of an installation of dependencies; the blob is the last of them. */
export function parseInstallationRecord(json: Json): BlobRecord & { readonly layers: readonly NamedLayer[] } {
  const layers = items(field(json, "layers"), MAX_LAYERS).map((layer) => ({
    name: string(field(layer, "name")),
    fingerprint: digest(layer, "fingerprint"),
  }));
  return { ...parseBlobRecord(json), layers };
}

function digest(json: Json, name: string): Digest {
  return parseDigest(string(field(json, name)));
}

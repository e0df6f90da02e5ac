import { join } from "node:path";
import { replaceFile } from "../blobs/partial.ts";
import { asLayout, readSmall } from "../blobs/read-document.ts";
import { LambdaPackError } from "../errors.ts";
import type { Descriptor } from "../oci/content.ts";
import { type IndexEntry, parseDocument } from "../oci/documents.ts";
import { field, type JsonObject, object, parseJson } from "../oci/json.ts";
import { MEDIA_TYPES } from "../oci/media-types.ts";
import type { Platform } from "../oci/platform.ts";

/** The annotation with an entry's tag in index.json (image-spec annotations.md). */
const REF_NAME = "org.opencontainers.image.ref.name";

export function tagOf(entry: IndexEntry): string | undefined {
  return entry.annotations?.[REF_NAME];
}

/** Reads the entries of `index.json`. @throws LAYOUT_INVALID. */
export async function readIndex(directory: string): Promise<readonly IndexEntry[]> {
  const path = join(directory, "index.json");
  const bytes = readSmall(path);
  if (bytes) return parseIndex(bytes, path);
  throw new LambdaPackError(
    "LAYOUT_INVALID",
    `${directory} is not a complete OCI layout: it has no index.json`,
  );
}

/** Parses an index.json. @throws LAYOUT_INVALID, which names the path. */
export function parseIndex(bytes: Uint8Array, path: string): readonly IndexEntry[] {
  const document = asLayout(path, () => parseDocument(bytes, undefined));
  if (document.kind === "index") return document.entries;
  throw new LambdaPackError("LAYOUT_INVALID", `${path} is not an index: it is a manifest`);
}

/** Makes the tags (none: only the digest) name this manifest. Other entries stay unchanged. */
export async function updateIndex(
  directory: string,
  manifest: Descriptor,
  platform: Platform | undefined,
  tags: readonly string[],
): Promise<void> {
  const path = join(directory, "index.json");
  const bytes = readSmall(path);
  if (bytes) parseIndex(bytes, path);
  const before = bytes ? object(parseJson(bytes, path)) : undefined;
  // An existing index also lists images that this build cannot make again.
  const durability = bytes ? "synced" : "unsynced";
  await replaceFile(path, indexBytes(manifest, platform, tags, before), { durability });
}

const NO_IMAGES = { schemaVersion: 2, mediaType: MEDIA_TYPES.oci.index, manifests: [] };

/** The `index.json` of a layout without images. */
export const EMPTY_INDEX: string = JSON.stringify(NO_IMAGES);

export function indexBytes(
  manifest: Descriptor,
  platform: Platform | undefined,
  tags: readonly string[],
  before: JsonObject = NO_IMAGES,
): string {
  const { mediaType, digest, size } = manifest;
  const entry = { mediaType, digest, size, ...(platform && { platform: platformFields(platform) }) };
  const tagged = tags.map((tag) => ({ ...entry, annotations: { [REF_NAME]: tag } }));
  const old = Array.isArray(before["manifests"]) ? before["manifests"].map(rawEntry) : [];
  const kept = old.filter((other) => !isReplaced(other, digest, tags));
  const added = tagged.length > 0 || kept.some((other) => other.digest === digest) ? tagged : [entry];
  return JSON.stringify({ ...before, manifests: [...kept.map(({ raw }) => raw), ...added] });
}

interface RawEntry {
  readonly raw: unknown;
  readonly digest: unknown;
  readonly tag: unknown;
}

function rawEntry(value: unknown): RawEntry {
  const json = { value, path: "entry" };
  const annotations = field(json, "annotations");
  const tag = annotations.value ? field(annotations, REF_NAME).value : undefined;
  return { raw: value, digest: field(json, "digest").value, tag };
}

/** Returns whether a new entry replaces this one: same tag, or same digest and no tag yet. */
function isReplaced(entry: RawEntry, digest: string, tags: readonly string[]): boolean {
  if (entry.tag === undefined) return entry.digest === digest && tags.length > 0;
  return tags.some((tag) => tag === entry.tag);
}

function platformFields({ architecture, os, variant }: Platform): Platform {
  return { architecture, os, ...(variant !== undefined && { variant }) };
}

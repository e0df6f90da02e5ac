import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { hasCode, LambdaPackError } from "../errors.ts";
import { type Descriptor, DOCUMENT_LIMIT } from "../oci/content.ts";
import { type IndexEntry, parseDocument } from "../oci/documents.ts";
import { field, type JsonObject, object, parseJson } from "../oci/json.ts";
import { MEDIA_TYPES } from "../oci/media-types.ts";
import type { Platform } from "../oci/platform.ts";
import { replaceFile } from "./partial.ts";

/** image-spec annotations.md: the tag of an entry of a layout's index.json. */
const REF_NAME = "org.opencontainers.image.ref.name";

export function tagOf(entry: IndexEntry): string | undefined {
  return entry.annotations?.[REF_NAME];
}

/** The `oci-layout` file, image-spec image-layout.md. */
export const LAYOUT_MARKER: string = JSON.stringify({ imageLayoutVersion: "1.0.0" });

/**
 * Checks the `oci-layout` file of a folder.
 * @throws IMAGE_NOT_FOUND when there is no folder, LAYOUT_INVALID when it is no layout of version 1.
 */
export async function checkMarker(directory: string): Promise<void> {
  const bytes = await readSmall(join(directory, "oci-layout"));
  if (!bytes) throw await noLayout(directory);
  parseMarker(bytes, join(directory, "oci-layout"));
}

/** @throws LAYOUT_INVALID when it is not of version 1. */
export function parseMarker(bytes: Uint8Array, path: string): void {
  const version = asLayout(path, () => field(parseJson(bytes, "oci-layout"), "imageLayoutVersion").value);
  if (version !== "1.0.0") {
    throw new LambdaPackError(
      "LAYOUT_INVALID",
      `${path} is of version ${JSON.stringify(version)}, not 1.0.0`,
    );
  }
}

async function noLayout(directory: string): Promise<LambdaPackError> {
  const found = await stat(directory).catch(() => undefined);
  if (!found) return new LambdaPackError("IMAGE_NOT_FOUND", `there is no OCI layout at ${directory}`);
  return new LambdaPackError("LAYOUT_INVALID", `${directory} is no OCI layout: it has no file oci-layout`, {
    hint: "an archive is written oci-archive:FILE or docker-archive:FILE",
  });
}

/** The entries of `index.json`. @throws LAYOUT_INVALID. */
export async function readIndex(directory: string): Promise<readonly IndexEntry[]> {
  const path = join(directory, "index.json");
  const bytes = await readSmall(path);
  if (bytes) return parseIndex(bytes, path);
  throw new LambdaPackError("LAYOUT_INVALID", `${directory} is no whole OCI layout: it has no index.json`);
}

/** @throws LAYOUT_INVALID naming the path. */
export function parseIndex(bytes: Uint8Array, path: string): readonly IndexEntry[] {
  const document = asLayout(path, () => parseDocument(bytes, undefined));
  if (document.kind === "index") return document.entries;
  throw new LambdaPackError("LAYOUT_INVALID", `${path} is no index: it is a manifest`);
}

/** A document's error with the file that it is in. */
export function asLayout<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof LambdaPackError)) throw error;
    throw new LambdaPackError("LAYOUT_INVALID", `${path} is broken: ${error.message}`, { cause: error });
  }
}

/** The tags (none: only the digest) name this manifest afterwards; every other entry stays, byte for field. */
export async function updateIndex(
  directory: string,
  manifest: Descriptor,
  platform: Platform | undefined,
  tags: readonly string[],
): Promise<void> {
  const path = join(directory, "index.json");
  const bytes = await readSmall(path);
  if (bytes) parseIndex(bytes, path);
  const before = bytes ? object(parseJson(bytes, path)) : undefined;
  await replaceFile(path, indexBytes(manifest, platform, tags, before));
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

/** A tag that moves leaves nothing behind; an entry without a tag is one of the tagged once it has one. */
function isReplaced(entry: RawEntry, digest: string, tags: readonly string[]): boolean {
  if (entry.tag === undefined) return entry.digest === digest && tags.length > 0;
  return tags.some((tag) => tag === entry.tag);
}

function platformFields({ architecture, os, variant }: Platform): Platform {
  return { architecture, os, ...(variant !== undefined && { variant }) };
}

/** A document's bytes, or undefined where there is no such file. @throws LAYOUT_INVALID when it is too large or unreadable. */
async function readSmall(path: string): Promise<Uint8Array | undefined> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new LambdaPackError("LAYOUT_INVALID", `${path} is no file`);
    if (found.size <= DOCUMENT_LIMIT) return await readFile(path);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    if (error instanceof LambdaPackError) throw error;
    throw new LambdaPackError("LAYOUT_INVALID", `${path} cannot be read`, { cause: error });
  }
  throw new LambdaPackError(
    "LAYOUT_INVALID",
    `${path} has more than the ${DOCUMENT_LIMIT} bytes of a document`,
  );
}

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../blobs/partial.ts";
import { readConfigurationFile } from "../blobs/regular-file.ts";
import { LambdaPackError } from "../errors.ts";
import type { Descriptor } from "../oci/content.ts";
import { type IndexEntry, parseDocument } from "../oci/documents.ts";
import { DOCUMENT_LIMIT, field, type JsonObject, object, parseJson, valueAt } from "../oci/json.ts";
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
  platform: Platform,
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

export function indexBytes(
  manifest: Descriptor,
  platform: Platform,
  tags: readonly string[],
  before: JsonObject = NO_IMAGES,
): string {
  const { mediaType, digest, size } = manifest;
  const entry = { mediaType, digest, size, platform };
  const tagged = tags.map((tag) => ({ ...entry, annotations: { [REF_NAME]: tag } }));
  const old: readonly unknown[] = Array.isArray(before["manifests"]) ? before["manifests"] : [];
  const kept = old.filter((other) => !isReplaced(other, digest, tags));
  const isListed = tagged.length > 0 || kept.some((other) => valueAt(other, "digest") === digest);
  return JSON.stringify({ ...before, manifests: [...kept, ...(isListed ? tagged : [entry])] });
}

/** Returns whether a new entry replaces this one: same tag, or same digest and no tag yet. */
function isReplaced(entry: unknown, digest: string, tags: readonly string[]): boolean {
  const tag = valueAt(entry, "annotations", REF_NAME);
  if (tag === undefined) return valueAt(entry, "digest") === digest && tags.length > 0;
  return tags.some((one) => one === tag);
}

/** Runs `parse` and adds the path of the file to its error. */
export function asLayout<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof LambdaPackError)) throw error;
    throw new LambdaPackError("LAYOUT_INVALID", `${path} is broken: ${error.message}`, { cause: error });
  }
}

/**
 * Returns a document's bytes, or undefined if there is no such file.
 * @throws LAYOUT_INVALID if it is too large or unreadable.
 */
export function readSmall(path: string): Uint8Array | undefined {
  return readConfigurationFile(path, { maxBytes: DOCUMENT_LIMIT, code: "LAYOUT_INVALID" });
}

/** The `oci-layout` file, image-spec image-layout.md. */
export const LAYOUT_MARKER: string = JSON.stringify({ imageLayoutVersion: "1.0.0" });

/**
 * Checks the `oci-layout` file of a directory.
 * @throws IMAGE_NOT_FOUND when there is no directory, LAYOUT_INVALID when it is not a layout of
 * version 1.
 */
export async function checkMarker(directory: string): Promise<void> {
  const bytes = readSmall(join(directory, "oci-layout"));
  if (!bytes) throw await noLayout(directory);
  parseMarker(bytes, join(directory, "oci-layout"));
}

/**
 * Checks the content of an `oci-layout` file.
 * @throws LAYOUT_INVALID for another version than 1.
 */
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
  if (!found)
    return new LambdaPackError("IMAGE_NOT_FOUND", `there is no OCI layout at ${directory}`, {
      hint: `correct the path, or write an image there first with lambda-pack build DIR --to oci:${directory}`,
    });
  return new LambdaPackError(
    "LAYOUT_INVALID",
    `${directory} is not an OCI layout: it has no file oci-layout`,
    {
      hint: found.isDirectory()
        ? `build an image of it first with lambda-pack build ${directory}, and name that`
        : "an archive is written oci-archive:FILE or docker-archive:FILE",
    },
  );
}

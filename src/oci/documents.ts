import type { Descriptor } from "./content.ts";
import { parseDigest } from "./digest.ts";
import type { HistoryEntry, ImageConfig, Manifest, RunSettings } from "./image.ts";
import {
  boolean,
  count,
  field,
  invalid,
  isMissing,
  items,
  type Json,
  object,
  optional,
  parseJson,
  string,
  stringMap,
  strings,
} from "./json.ts";
import { familyOf, isIndexType, isManifestType, MEDIA_TYPES } from "./media-types.ts";
import type { Platform } from "./platform.ts";

/** One entry of an index, image-spec image-index.md. */
export interface IndexEntry extends Descriptor {
  readonly platform?: Platform;
}

/**
 * The document that a tag or digest names: a manifest, or an index of several. Its content decides
 * which, never its media type alone.
 */
export type Document =
  | { readonly kind: "manifest"; readonly manifest: Manifest }
  | { readonly kind: "index"; readonly mediaType: string; readonly entries: readonly IndexEntry[] };

const MAX_LAYERS = 1000;
const MAX_ENTRIES = 1000;
/** RFC 6838 4.2, as the schemas of image-spec use it. */
const MEDIA_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;

/**
 * Parses a manifest or index. `contentType` is the media type that the source states; if the
 * document states one too, they must agree (GHSA-mc8v-mgrf-8f4m: a document that is a manifest to
 * one reader and an index to another).
 * @throws IMAGE_INVALID with the path of the wrong field.
 */
export function parseDocument(bytes: Uint8Array, contentType: string | undefined): Document {
  const json = parseJson(bytes, "manifest");
  const { value: version } = field(json, "schemaVersion");
  if (version === 1)
    throw invalid(
      json,
      "is of Docker's schema 1, which is no longer supported: push the image again with a current tool",
    );
  if (version !== 2) throw invalid(field(json, "schemaVersion"), "should be 2");
  optional(field(json, "subject"), parseDescriptor);
  const mediaType = agreedType(json, contentType);
  const hasEntries = !isMissing(field(json, "manifests"));
  if (hasEntries && !(isMissing(field(json, "layers")) && isMissing(field(json, "config")))) {
    throw invalid(json, "is both a manifest and an index");
  }
  if (hasEntries || (mediaType !== undefined && isIndexType(mediaType))) return parseIndex(json, mediaType);
  return { kind: "manifest", manifest: parseManifest(json, mediaType) };
}

function agreedType(json: Json, contentType: string | undefined): string | undefined {
  const own = optional(field(json, "mediaType"), string);
  const label = contentType?.split(";")[0]?.trim().toLowerCase();
  // Only the four known types count: a proxy may say application/json, and files have no type.
  const binding = label !== undefined && (isIndexType(label) || isManifestType(label)) ? label : undefined;
  if (own !== undefined && binding !== undefined && own !== binding) {
    throw invalid(json, `calls itself ${own} but came as ${binding}`);
  }
  return own ?? binding;
}

function parseIndex(json: Json, mediaType: string | undefined): Document {
  if (mediaType !== undefined && !isIndexType(mediaType))
    throw invalid(json, `lists manifests but is called ${mediaType}`);
  const entries = items(field(json, "manifests"), MAX_ENTRIES).map((entry) => {
    const platform = optional(field(entry, "platform"), parsePlatform);
    return platform === undefined ? parseDescriptor(entry) : { ...parseDescriptor(entry), platform };
  });
  return { kind: "index", mediaType: mediaType ?? MEDIA_TYPES.oci.index, entries };
}

function parsePlatform(json: Json): Platform {
  const variant = optional(field(json, "variant"), string);
  const platform = { os: string(field(json, "os")), architecture: string(field(json, "architecture")) };
  return variant === undefined ? platform : { ...platform, variant };
}

function parseManifest(json: Json, mediaType: string | undefined): Manifest {
  const config = parseDescriptor(field(json, "config"));
  // umoci writes manifests without mediaType (image-spec calls it optional): the config's type
  // shows the family.
  const type = mediaType ?? MEDIA_TYPES[familyOf(config.mediaType) ?? "oci"].manifest;
  if (!isManifestType(type)) throw invalid(json, `is a ${type}, not an image`);
  const annotations = optional(field(json, "annotations"), stringMap);
  const layers = listIn(json, "layers", MAX_LAYERS).map(parseDescriptor);
  return { mediaType: type, config, layers, ...(annotations && { annotations }) };
}

export function parseDescriptor(json: Json): Descriptor {
  const mediaType = string(field(json, "mediaType"));
  if (!MEDIA_TYPE.test(mediaType)) throw invalid(field(json, "mediaType"), "is not a media type");
  const digest = field(json, "digest");
  const annotations = optional(field(json, "annotations"), stringMap);
  return {
    mediaType,
    digest: parseDigest(string(digest), digest.path),
    size: count(field(json, "size")),
    ...(annotations && { annotations }),
  };
}

/**
 * Parses an image's config, and keeps unknown fields.
 * @throws IMAGE_INVALID with the path of the wrong field.
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const json = parseJson(bytes, "config");
  const rootfs = field(json, "rootfs");
  if (field(rootfs, "type").value !== "layers") throw invalid(field(rootfs, "type"), 'should be "layers"');
  const diffIds = listIn(rootfs, "diff_ids", MAX_LAYERS).map((id) => parseDigest(string(id), id.path));
  const { variant: _v, created: _c, config: _r, history: _h, ...rest } = object(json);
  return {
    ...rest,
    architecture: string(field(json, "architecture")),
    os: string(field(json, "os")),
    rootfs: { type: "layers", diff_ids: diffIds },
    ...withoutNulls({
      variant: optional(field(json, "variant"), string),
      created: optional(field(json, "created"), string),
      config: optional(field(json, "config"), parseRunSettings),
      history: optional(field(json, "history"), parseHistory),
    }),
  };
}

/** Leaves out fields that are null, which Go writes for an empty list or map. */
function parseRunSettings(json: Json): RunSettings {
  const known = {
    Env: optional(field(json, "Env"), strings),
    Entrypoint: optional(field(json, "Entrypoint"), strings),
    Cmd: optional(field(json, "Cmd"), strings),
    WorkingDir: optional(field(json, "WorkingDir"), string),
    User: optional(field(json, "User"), string),
    Labels: optional(field(json, "Labels"), stringMap),
  };
  return withoutNulls({ ...object(json), ...known });
}

function parseHistory(json: Json): readonly HistoryEntry[] {
  return items(json, MAX_LAYERS * 2).map((entry) => optional(entry, parseHistoryEntry) ?? {});
}

function parseHistoryEntry(json: Json): HistoryEntry {
  const known = {
    created: optional(field(json, "created"), string),
    created_by: optional(field(json, "created_by"), string),
    author: optional(field(json, "author"), string),
    comment: optional(field(json, "comment"), string),
    empty_layer: optional(field(json, "empty_layer"), boolean),
  };
  return withoutNulls({ ...object(json), ...known });
}

/** Removes null and undefined, and keeps the order of the fields. */
function withoutNulls(values: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== null),
  );
}

/** Returns the items of a required list; Go writes null for an empty one. */
function listIn(json: Json, name: string, limit: number): readonly Json[] {
  const list = field(json, name);
  return list.value === null ? [] : items(list, limit);
}

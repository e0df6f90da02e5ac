import { LambdaPackError } from "../errors.ts";
import { type Content, contentOf, readAll } from "./content.ts";
import { type Document, type IndexEntry, parseDocument, parseImageConfig } from "./documents.ts";
import type { Image, ImageConfig, Layer, Manifest } from "./image.ts";
import { familyOf, isIndexType, isManifestType, layerCompression } from "./media-types.ts";
import { formatPlatform, type Platform, satisfies } from "./platform.ts";
import type { ImageSource } from "./store.ts";

/** Indexes may contain indexes (image-spec image-index.md); more than this is a loop. */
const MAX_NESTING = 4;

/** Returns the content of a descriptor from the source. Nothing is read until the content is. */
export type Open = (descriptor: IndexEntry) => Content;

/**
 * Resolves what a tag names to one image: through indexes to the child for `platform`, its config
 * and its layers. Every source uses it, so the same checks apply to all.
 * @throws PLATFORM_NOT_FOUND, which lists the platforms; IMAGE_INVALID, IMAGE_UNSUPPORTED,
 * CONTENT_MISMATCH.
 */
export async function resolveImage(
  top: Content,
  open: Open,
  platform: Platform | undefined,
  signal?: AbortSignal,
): Promise<Image> {
  const { image } = await resolveAny(top, open, platform, signal);
  for (const { descriptor } of image.layers) refuseUnreadable(descriptor.mediaType);
  return image;
}

/** Returns a source whose `pull` resolves what its `find` returns. */
export function imageSource(name: string, find: ImageSource["find"]): ImageSource {
  return {
    name,
    find,
    async pull(reference, platform, signal) {
      const { top, open } = await find(reference, signal);
      return resolveImage(top, open, platform, signal);
    },
  };
}

/**
 * Does the same as {@link resolveImage}, but accepts layers of any type. `index` has the entries of
 * the outermost index; undefined: there is none.
 */
export async function resolveAny(
  top: Content,
  open: Open,
  platform: Platform | undefined,
  signal?: AbortSignal,
) {
  const { content, manifest, index } = await findManifest(top, open, platform, signal);
  const bytes = await readAll(open(manifest.config), signal);
  const settings = parseImageConfig(bytes);
  checkPlatform(settings, platform);
  const image: Image = {
    family: familyOf(manifest.mediaType) ?? "oci",
    manifest: content,
    config: contentOf(manifest.config.mediaType, bytes),
    layers: layersOf(manifest, settings, open),
    settings,
  };
  return { image, index };
}

/**
 * Follows indexes from `top` to the manifest for `platform`. `index` has the entries of the outermost
 * index; undefined: `top` is a manifest.
 * @throws PLATFORM_NOT_FOUND, IMAGE_INVALID, CONTENT_MISMATCH.
 */
export async function findManifest(
  top: Content,
  open: Open,
  platform: Platform | undefined,
  signal?: AbortSignal,
) {
  let content = top;
  let index: readonly IndexEntry[] | undefined;
  for (let depth = 0; depth < MAX_NESTING; depth++) {
    const bytes = await readAll(content, signal);
    const document: Document = parseDocument(bytes, content.descriptor.mediaType);
    if (document.kind === "manifest") {
      const { manifest } = document;
      return { content: contentOf(manifest.mediaType, bytes), manifest, index };
    }
    index ??= document.entries;
    content = open(await chooseChild(document.entries, open, platform, signal));
  }
  throw new LambdaPackError("IMAGE_INVALID", `the index nests more than ${MAX_NESTING} indexes`);
}

const DEFAULT_PLATFORM: Platform = { os: "linux", architecture: "amd64" };

/** Chooses the image for `platform`. @throws PLATFORM_NOT_FOUND, which lists the platforms. */
async function chooseChild(
  entries: readonly IndexEntry[],
  open: Open,
  platform: Platform | undefined,
  signal: AbortSignal | undefined,
): Promise<IndexEntry> {
  const children = entries.filter(isImage);
  const only = children.length === 1 ? children[0] : undefined;
  if (only && (platform === undefined || only.platform === undefined)) return only;
  const wanted = platform ?? DEFAULT_PLATFORM;
  const child =
    children.find((entry) => entry.platform && satisfies(entry.platform, wanted)) ??
    (await findByConfig(children, open, wanted, signal));
  if (child) return child;
  throw new LambdaPackError(
    "PLATFORM_NOT_FOUND",
    `no image for ${formatPlatform(wanted)} in the index, which has ${listOf(children)}`,
    {
      hint: "choose another --arch, or a base that is built for it",
    },
  );
}

/** How many children without a platform are opened to read their configs. */
const MAX_UNNAMED = 8;

/** Returns the child whose config is for `wanted`, among those listed without a platform. */
async function findByConfig(
  children: readonly IndexEntry[],
  open: Open,
  wanted: Platform,
  signal: AbortSignal | undefined,
): Promise<IndexEntry | undefined> {
  const unnamed = children.filter((entry) => !entry.platform && isManifestType(entry.mediaType));
  for (const entry of unnamed.slice(0, MAX_UNNAMED)) {
    const document = parseDocument(await readAll(open(entry), signal), entry.mediaType);
    if (document.kind !== "manifest") continue;
    const config = parseImageConfig(await readAll(open(document.manifest.config), signal));
    if (satisfies(config, wanted)) return entry;
  }
  return undefined;
}

/** Returns whether an entry is an image; buildx lists attestations as platform unknown/unknown. */
export function isImage(entry: IndexEntry): boolean {
  if (entry.platform?.os === "unknown" || entry.platform?.architecture === "unknown") return false;
  return isManifestType(entry.mediaType) || isIndexType(entry.mediaType);
}

function listOf(entries: readonly IndexEntry[]): string {
  const platforms = entries.map(({ platform }) =>
    platform ? formatPlatform(platform) : "an unnamed platform",
  );
  return platforms.length === 0 ? "no image at all" : [...new Set(platforms)].join(", ");
}

/** Checks the config's platform, without the variant, which configs often omit. */
function checkPlatform(settings: ImageConfig, platform: Platform | undefined): void {
  if (!platform) return;
  if (satisfies({ os: settings.os, architecture: settings.architecture }, { ...platform, variant: "" }))
    return;
  throw new LambdaPackError(
    "PLATFORM_NOT_FOUND",
    `the image is for ${formatPlatform(settings)}, not for ${formatPlatform(platform)}`,
    { hint: "choose another --arch, or a base that is built for it" },
  );
}

function layersOf(manifest: Manifest, settings: ImageConfig, open: Open): readonly Layer[] {
  const diffIds = settings.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    throw new LambdaPackError(
      "IMAGE_INVALID",
      `the manifest has ${manifest.layers.length} layers but the config has ${diffIds.length} diff_ids`,
    );
  }
  return manifest.layers.flatMap((descriptor, index) => {
    const diffId = diffIds[index];
    return diffId === undefined ? [] : [{ ...open(descriptor), diffId }];
  });
}

function refuseUnreadable(mediaType: string): void {
  const compression = layerCompression(mediaType);
  if (compression === "gzip" || compression === "none") return;
  const why = {
    zstd: "Lambda takes gzip layers only",
    foreign: "its bytes are not in the registry (a foreign layer)",
    unknown: "it is not a layer type of Docker or OCI",
  }[compression];
  throw new LambdaPackError("IMAGE_UNSUPPORTED", `the image has a layer of type ${mediaType}: ${why}`, {
    hint: "convert it: lambda-pack push SOURCE DEST --for-lambda",
  });
}

import { once } from "../async/single-flight.ts";
import { LambdaPackError } from "../errors.ts";
import { recompress } from "../layer/pack.ts";
import { replaceLayers } from "../oci/compose.ts";
import type { Content, Descriptor } from "../oci/content.ts";
import type { Digest } from "../oci/digest.ts";
import type { Image, Layer } from "../oci/image.ts";
import { layerCompression, MEDIA_TYPES } from "../oci/media-types.ts";
import type { Platform } from "../oci/platform.ts";
import { formatReference, type Reference } from "../oci/reference.ts";
import { resolveImage } from "../oci/resolve.ts";
import type { Named } from "../oci/store.ts";
import { MAX_IMAGE_BYTES } from "../rootfs/scan.ts";
import { formatLocation, type ImageLocation, selectorOf } from "./image-location.ts";
import type { Session } from "./session.ts";
import { throughCache } from "./through-cache.ts";

export interface PulledImage {
  readonly image: Image;
  /** As the source names it, without digest. */
  readonly reference: string;
  /** Digest of the image's own manifest: of the child, if the source has an index. */
  readonly digest: Digest;
}

/**
 * Pulls an image and compresses layers that are not gzip. Layers of a registry are read through the
 * cache: each is fetched at most once, when it is first read.
 */
export async function pull(
  location: ImageLocation,
  platform: Platform | undefined,
  session: Session,
): Promise<PulledImage> {
  const pulled = await pullUnchanged(location, platform, session);
  return { ...pulled, image: await withGzipLayers(pulled.image, session) };
}

/** Does the same as {@link pull}, but leaves layers that are not gzip as they are. */
export async function pullUnchanged(
  location: ImageLocation,
  platform: Platform | undefined,
  session: Session,
): Promise<PulledImage> {
  try {
    return location.kind === "registry"
      ? await pullFromRegistry(location.reference, platform, session)
      : await pullFromFile(location, platform, session);
  } catch (error) {
    throw withImageName(error, formatLocation(location));
  }
}

async function pullFromFile(
  location: ImageLocation,
  platform: Platform | undefined,
  session: Session,
): Promise<PulledImage> {
  const source = session.source(location);
  const selector = selectorOf(location);
  const image = await source.pull(selector, platform, session.signal);
  const { digest } = image.manifest.descriptor;
  const isTag = selector !== undefined && selector !== digest;
  return { image, reference: isTag ? `${source.name}:${selector}` : source.name, digest };
}

/**
 * Pulls an image from a registry. A tag is resolved once. A manifest or config that the cache has
 * is not requested, because the content of a digest never changes. The cache is not trusted: every
 * document is checked against its digest, from the reference down to the config.
 */
async function pullFromRegistry(
  reference: Reference,
  platform: Platform | undefined,
  session: Session,
): Promise<PulledImage> {
  const { cache, signal, offline } = session;
  const key = formatReference(reference);
  const find = once(() => findInRegistry(reference, session));
  const mayBeOld = offline || reference.digest !== undefined;
  const known = mayBeOld ? await cache.findManifest(key) : undefined;
  if (!known && offline) throw notInCache(`the image ${key}`);
  const top = known ?? (await find()).top;
  const open = (descriptor: Descriptor) => cachedOrFetched(descriptor, reference, find, session);
  const image = await resolveImage(top, open, platform, signal);
  refuseTooLarge(image);
  await cache.keep(image.config, { signal });
  await cache.keep(image.manifest, { signal });
  // For an index the index itself: only that can be checked against the reference's digest.
  if (!known) await cache.rememberManifest(key, top);
  const layers = image.layers.map((layer) => ({ ...layer, ...throughCache(layer, session) }));
  return { image: { ...image, layers }, reference: key, digest: image.manifest.descriptor.digest };
}

/** A manifest may claim layers of a terabyte: refuse them before their download fills the disk. */
function refuseTooLarge({ layers }: Image): void {
  const bytes = layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
  if (bytes <= MAX_IMAGE_BYTES) return;
  throw new LambdaPackError(
    "IMAGE_INVALID",
    `the image has layers of ${Math.ceil(bytes / 1e9)} GB compressed, and nothing of it was downloaded`,
    { hint: "Lambda takes at most 10 GB uncompressed: name another image, or have this one built again" },
  );
}

function findInRegistry(reference: Reference, session: Session): Promise<Named> {
  const location = { kind: "registry", reference } as const;
  return session.source(location).find(selectorOf(location), session.signal);
}

function cachedOrFetched(
  descriptor: Descriptor,
  { registry, repository }: Reference,
  find: () => Promise<Named>,
  { cache, offline }: Session,
): Content {
  return {
    descriptor,
    origin: { registry, repository },
    async *read(from, signal) {
      const { digest, size } = descriptor;
      const cached = await cache.find(digest, size);
      if (!cached && offline) throw notInCache(digest);
      const content = cached ?? (await find()).open(descriptor);
      yield* content.read(from, signal);
    },
  };
}

function notInCache(what: string): LambdaPackError {
  return new LambdaPackError("OFFLINE", `${what} is not in the cache`, {
    hint: "run once without --offline",
  });
}

/**
 * Compresses layers that are not gzip: Lambda refuses uncompressed ones, which old `docker save`
 * archives and some layouts have (rules_oci#777).
 */
async function withGzipLayers(image: Image, session: Session): Promise<Image> {
  if (image.layers.every(isGzip)) return image;
  const layers: Layer[] = [];
  for (const layer of image.layers)
    layers.push(isGzip(layer) ? layer : await compressed(layer, image, session));
  return replaceLayers(image, layers);
}

function isGzip({ descriptor }: Layer): boolean {
  return layerCompression(descriptor.mediaType) === "gzip";
}

/** Deflate level of layers that are compressed here, the same as in a build. */
const LEVEL = 4;

async function compressed(layer: Layer, { family }: Image, { cache, signal }: Session): Promise<Layer> {
  const mediaType = MEDIA_TYPES[family].layer;
  const made = await recompress(layer, { spool: cache.spool, level: LEVEL, mediaType, signal });
  if (made.diffId === layer.diffId) return made;
  const message = `the layer ${made.diffId} is not the ${layer.diffId} of the image's config`;
  throw new LambdaPackError("CONTENT_MISMATCH", message, {
    hint: "write the archive again: it does not hold the image that it describes",
  });
}

const NEXT_STEPS: Readonly<Record<string, string>> = {
  IMAGE_INVALID:
    "the image is damaged or does not follow the specification: push it again, or use another one",
  IMAGE_UNSUPPORTED: "use an image with gzip layers, or convert this one",
  PLATFORM_NOT_FOUND: "choose another --arch, or an image that is built for it",
};

/** Adds the image's name to an error about its documents, whose readers do not know the name. */
export function withImageName(error: unknown, image: string): unknown {
  if (!(error instanceof LambdaPackError)) return error;
  const { code, message, hint, cause } = error;
  const next = NEXT_STEPS[code];
  if (next === undefined || message.includes(image)) return error;
  return new LambdaPackError(code, `${image}: ${message}`, { hint: hint ?? next, cause });
}

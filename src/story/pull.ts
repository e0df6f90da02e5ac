import { LambdaPackError } from "../errors.ts";
import { recompress } from "../layer/pack.ts";
import { replaceLayers } from "../oci/compose.ts";
import type { Content, Descriptor } from "../oci/content.ts";
import type { Digest } from "../oci/digest.ts";
import type { Image, Layer } from "../oci/image.ts";
import { layerCompression, MEDIA_TYPES } from "../oci/media-types.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { formatReference, type Reference } from "../oci/reference.ts";
import { resolveImage } from "../oci/resolve.ts";
import { type Endpoint, selectorOf } from "./endpoint.ts";
import { fetchInto } from "./fetch.ts";
import { DEFAULT_LEVEL } from "./options.ts";
import type { Session } from "./session.ts";
import { aboutImage } from "./unfit.ts";

export interface Pulled {
  readonly image: Image;
  /** As the source names it, without digest. */
  readonly reference: string;
  /** Of the image's own manifest in the source: the child where the source has an index. */
  readonly digest: Digest;
}

/**
 * The image behind an endpoint, its layers gzip. What comes from a registry is read through the cache: each blob is fetched at most once,
 * and only when somebody reads it.
 */
export async function pull(
  endpoint: Endpoint,
  platform: Platform | undefined,
  session: Session,
): Promise<Pulled> {
  const pulled = await pullUnchanged(endpoint, platform, session);
  return { ...pulled, image: await gzipped(pulled.image, session) };
}

/** As {@link pull}, but for layers that are not gzip: they stay as they are. */
export async function pullUnchanged(
  endpoint: Endpoint,
  platform: Platform | undefined,
  session: Session,
): Promise<Pulled> {
  try {
    return await pullFrom(endpoint, platform, session);
  } catch (error) {
    throw aboutImage(
      error,
      endpoint.kind === "registry" ? formatReference(endpoint.reference) : endpoint.path,
    );
  }
}

async function pullFrom(
  endpoint: Endpoint,
  platform: Platform | undefined,
  session: Session,
): Promise<Pulled> {
  const { signal } = session;
  if (endpoint.kind === "registry") {
    const image = await pullFromRegistry(endpoint.reference, platform, session);
    const { digest } = image.manifest.descriptor;
    return { image, reference: formatReference(endpoint.reference), digest };
  }
  const source = session.source(endpoint);
  const image = await source.pull(selectorOf(endpoint), platform, signal);
  const { digest } = image.manifest.descriptor;
  const selector = selectorOf(endpoint);
  const reference =
    selector === undefined || selector === digest ? source.name : `${source.name}:${selector}`;
  return { image, reference, digest };
}

async function pullFromRegistry(
  reference: Reference,
  platform: Platform | undefined,
  session: Session,
): Promise<Image> {
  const { cache, signal } = session;
  const key = `${formatReference(reference)} ${platform ? formatPlatform(platform) : "any"}`;
  if (session.offline) return pullFromCache(key, platform, session);
  const source = session.source({ kind: "registry", reference });
  const image = await source.pull(selectorOf({ kind: "registry", reference }), platform, signal);
  await cache.keep(image.config, { signal });
  await cache.rememberManifest(key, image.manifest);
  return { ...image, layers: image.layers.map((layer) => ({ ...layer, ...throughCache(layer, session) })) };
}

/** The same content, in a local file from its first reading on. */
export function throughCache(content: Content, { cache, emit, moved }: Session): Content {
  const { digest, size } = content.descriptor;
  const onBytes = (received: number) => emit({ type: "download-progress", digest, received, size });
  const local = async (signal?: AbortSignal): Promise<Content> => {
    const cached = await cache.find(digest, size);
    const kept = cached ?? (await fetchInto(cache, content, { signal, onBytes, emit }));
    if (!cached) moved.received += size;
    return kept;
  };
  return {
    ...content,
    local,
    async *read(from, signal) {
      yield* (await local(signal)).read(from, signal);
    },
  };
}

async function pullFromCache(
  key: string,
  platform: Platform | undefined,
  { cache, signal }: Session,
): Promise<Image> {
  const manifest = await cache.findManifest(key);
  if (!manifest) throw notCached(`the image ${key.split(" ", 1)[0]}`);
  const open = (descriptor: Descriptor): Content => ({
    descriptor,
    async *read(from, inner) {
      const found = await cache.find(descriptor.digest, descriptor.size);
      if (!found) throw notCached(descriptor.digest);
      yield* found.read(from, inner);
    },
  });
  return resolveImage(manifest, open, platform, signal);
}

function notCached(what: string): LambdaPackError {
  return new LambdaPackError("OFFLINE", `${what} is not in the cache`, {
    hint: "run once without --offline",
  });
}

/** Lambda refuses uncompressed layers (rules_oci#777), which old `docker save` archives and some layouts have. */
async function gzipped(image: Image, session: Session): Promise<Image> {
  if (image.layers.every(isGzip)) return image;
  const layers: Layer[] = [];
  for (const layer of image.layers)
    layers.push(isGzip(layer) ? layer : await compressed(layer, image, session));
  return replaceLayers(image, layers);
}

function isGzip({ descriptor }: Layer): boolean {
  return layerCompression(descriptor.mediaType) === "gzip";
}

async function compressed(layer: Layer, { family }: Image, { cache, signal }: Session): Promise<Layer> {
  const mediaType = MEDIA_TYPES[family].layer;
  const made = await recompress(layer, { spool: cache.spool, level: DEFAULT_LEVEL, mediaType, signal });
  if (made.diffId === layer.diffId) return made;
  throw new LambdaPackError(
    "CONTENT_MISMATCH",
    `the layer ${made.diffId} is not the ${layer.diffId} of the image's config`,
    {
      hint: "write the archive again: it does not hold the image that it describes",
    },
  );
}

import { LambdaPackError } from "../errors.ts";
import { recompress } from "../layer/pack.ts";
import { replaceLayers } from "../oci/compose.ts";
import type { Digest } from "../oci/digest.ts";
import type { Image, Layer } from "../oci/image.ts";
import { layerCompression, MEDIA_TYPES } from "../oci/media-types.ts";
import type { Platform } from "../oci/platform.ts";
import { formatReference } from "../oci/reference.ts";
import { pullFromRegistry } from "./from-registry.ts";
import { type Endpoint, selectorOf } from "./image-location.ts";
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

/** The level of layers that a build packs. */
const RECOMPRESSION_LEVEL = 4;

async function compressed(layer: Layer, { family }: Image, { cache, signal }: Session): Promise<Layer> {
  const mediaType = MEDIA_TYPES[family].layer;
  const made = await recompress(layer, { spool: cache.spool, level: RECOMPRESSION_LEVEL, mediaType, signal });
  if (made.diffId === layer.diffId) return made;
  throw new LambdaPackError(
    "CONTENT_MISMATCH",
    `the layer ${made.diffId} is not the ${layer.diffId} of the image's config`,
    {
      hint: "write the archive again: it does not hold the image that it describes",
    },
  );
}

import { gzip } from "../../../layer/encode/gzip.ts";
import { rewriteImage } from "../../../oci/compose.ts";
import type { Content } from "../../../oci/content.ts";
import { createDigester } from "../../../oci/digest.ts";
import type { IndexEntry } from "../../../oci/documents.ts";
import type { Image, Layer } from "../../../oci/image.ts";
import { MEDIA_TYPES } from "../../../oci/media-types.ts";
import { formatPlatform, type Platform } from "../../../oci/platform.ts";
import { isImage, resolveAny } from "../../../oci/resolve.ts";
import { type Budget, MAX_IMAGE_BYTES } from "../../../rootfs/scan.ts";
import { MergedView } from "../../../rootfs/view/merged-view.ts";
import { formatLocation, type ImageLocation, selectorOf } from "../../../session/image-location.ts";
import { withImageName } from "../../../session/pull.ts";
import type { Session } from "../../../session/session.ts";
import { throughCache } from "../../../session/through-cache.ts";
import { applyPlan } from "./directories.ts";
import { type ReadLayer, readLayer, untar } from "./read-layer.ts";

interface ForLambda {
  readonly image: Image;
  /** One clause for each change. */
  readonly changes: readonly string[];
}

/**
 * Pulls an image of any tool and changes it so that Lambda can load it: one manifest for the
 * platform, gzip layers, media types of one family, and in each layer an entry for a directory
 * before its content. Files and config stay, and an image that needs no change keeps its bytes.
 * Every layer is read.
 * @throws CONTENT_MISMATCH if content differs from its digest, IMAGE_INVALID, IMAGE_UNSUPPORTED,
 * and what pulling throws
 */
export async function pullForLambda(
  location: ImageLocation,
  platform: Platform | undefined,
  session: Session,
): Promise<ForLambda> {
  try {
    const { top, open } = await session.source(location).find(selectorOf(location), session.signal);
    const { image, index } = await resolveAny(top, open, platform, session.signal);
    const layers = image.layers.map((layer) =>
      location.kind === "registry" ? { ...layer, ...throughCache(layer, session) } : layer,
    );
    const changed = await changeImage({ ...image, layers }, session);
    const changes = [...(index ? [indexChange(index, image)] : []), ...changed.changes];
    for (const what of changes) session.emit({ type: "image-changed", what });
    return { image: changed.image, changes };
  } catch (error) {
    throw withImageName(error, formatLocation(location));
  }
}

/** Describes the images left out; buildx's attestations are counted separately. */
function indexChange(index: readonly IndexEntry[], { settings }: Image): string {
  const attestations = index.filter((entry) => !isImage(entry)).length;
  const others = index.length - attestations - 1;
  const left = [
    ...(others > 0 ? [`${others} other ${others === 1 ? "image" : "images"}`] : []),
    ...(attestations > 0 ? [`${attestations} ${attestations === 1 ? "attestation" : "attestations"}`] : []),
  ];
  const without = left.length > 0 ? `, without ${left.join(" and ")}` : "";
  return `index: the one manifest for ${formatPlatform(settings)}${without}`;
}

async function changeImage(image: Image, session: Session): Promise<ForLambda> {
  const { family, config } = image;
  const view = new MergedView();
  const budget: Budget = { left: MAX_IMAGE_BYTES };
  const changes: string[] = [];
  const layers: Layer[] = [];
  // One after the other, because what a layer lacks depends on the layers below it.
  for (const [index, layer] of image.layers.entries()) {
    const read = await readLayer(layer, index, { view, budget, signal: session.signal });
    const own = changesOf(layer, read, MEDIA_TYPES[family].layer);
    changes.push(...own.map((what) => `layer ${index + 1} of ${image.layers.length}: ${what}`));
    const isRewritten = read.compression !== "gzip" || read.plan.added.length > 0;
    layers.push(isRewritten ? await encode(read, image, session) : layer);
  }
  const isConfigForeign = config.descriptor.mediaType !== MEDIA_TYPES[family].config;
  if (isConfigForeign)
    changes.push(`config: ${MEDIA_TYPES[family].config} instead of ${config.descriptor.mediaType}`);
  return { image: changes.length === 0 ? image : rewriteImage(image, layers), changes };
}

const MAX_NAMED = 3;

function changesOf(
  { descriptor }: Layer,
  { compression, plan }: ReadLayer,
  wanted: string,
): readonly string[] {
  const { added } = plan;
  const named = added.slice(0, MAX_NAMED).map((path) => `/${path}`);
  const more = added.length > MAX_NAMED ? ` and ${added.length - MAX_NAMED} more` : "";
  const isOtherType = compression === "gzip" && descriptor.mediaType !== wanted;
  return [
    ...(compression === "gzip"
      ? []
      : [`gzip instead of ${compression === "none" ? "no compression" : compression}`]),
    ...(isOtherType ? [`${wanted} instead of ${descriptor.mediaType}`] : []),
    ...(added.length > 0
      ? [`entries of directories before what is in them: ${named.join(", ")}${more}`]
      : []),
  ];
}

/** The deflate level of recompressed layers, which is the default of a build. */
const LEVEL = 4;

async function encode(read: ReadLayer, { family }: Image, { cache, signal }: Session): Promise<Layer> {
  const digester = createDigester();
  async function* digested(): AsyncGenerator<Uint8Array> {
    for await (const chunk of applyPlan(untar(read, signal), read.plan)) {
      digester.update(chunk);
      yield chunk;
    }
  }
  const content: Content = await cache.spool.write(
    MEDIA_TYPES[family].layer,
    gzip(digested(), LEVEL),
    signal,
  );
  return { ...content, diffId: digester.digest() };
}

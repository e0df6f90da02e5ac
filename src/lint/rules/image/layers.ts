import { hexOf } from "../../../oci/digest.ts";
import { layerCompression } from "../../../oci/media-types.ts";
import type { ImageFacts, LayerFacts } from "../../facts.ts";
import { type Problems, quantity, type Rule } from "../../rule.ts";

const AGAIN = "build and push the image again";

/** Compares each layer with the manifest and the config. */
export const layerContent: Rule = {
  id: "layer-content",
  severity: "error",
  expects:
    "each layer is a complete gzip of a tar, with the size, the digest and the diff_id in manifest and config",
  otherwise: "InvalidImage, after the push and the deploy",
  check(facts) {
    return [counts(facts), ...facts.layers.flatMap((layer, index) => problemsOf(layer, index, facts))];
  },
};

function counts({ layers, settings, brokenImage, brokenConfig }: ImageFacts): Problems {
  if (brokenImage) return { message: `the image cannot be read: ${brokenImage}`, hint: AGAIN };
  if (brokenConfig) return { message: `the config cannot be read: ${brokenConfig}`, hint: AGAIN };
  const promised = settings.rootfs.diff_ids.length;
  if (layers.length === promised) return [];
  return {
    message: `the manifest has ${layers.length} layers, the config has ${promised} diff_ids`,
    hint: AGAIN,
  };
}

function problemsOf(
  { descriptor, diffId, read }: LayerFacts,
  index: number,
  { layers }: ImageFacts,
): Problems {
  if (!read) return [];
  const where = `layer ${index + 1} of ${layers.length} (${hexOf(descriptor.digest).slice(0, 12)})`;
  if (!read.ok && read.over) return []; // the size rule reports it
  if (!read.ok) return { message: `${where}: ${read.broken.message}`, hint: read.broken.hint ?? AGAIN };
  const { scan } = read;
  const wrong = [
    scan.size !== descriptor.size && `has ${scan.size} bytes, not the ${descriptor.size} of its descriptor`,
    scan.digest !== descriptor.digest && `has the digest ${scan.digest}, not that of its descriptor`,
    diffId !== undefined &&
      scan.diffId !== diffId &&
      `unpacks to ${scan.diffId}, not to its diff_id ${diffId}`,
    layerCompression(descriptor.mediaType) === "gzip" &&
      scan.compression !== "gzip" &&
      `has the media type ${descriptor.mediaType}, and is not gzip`,
  ].filter((problem) => problem !== false);
  return wrong.map((what) => ({ message: `${where} ${what}`, hint: AGAIN }));
}

/** Reported in aws-lambda-base-images#2 and rules_oci#654. */
export const history: Rule = {
  id: "history",
  severity: "warning",
  expects: "the config has one history entry for each layer",
  otherwise: "nothing, but podman and buildah fail with such an image, and rules_oci reports that Lambda did",
  check({ settings, layers, brokenConfig }) {
    const entries = (settings.history ?? []).filter(({ empty_layer }) => empty_layer !== true).length;
    if (brokenConfig || entries === layers.length) return [];
    return {
      message: `the image has ${quantity(layers.length, "layer")}, and its history has ${entries === 0 ? "no entry" : `entries for ${entries}`}`,
      hint: "lambda-pack build writes history for a base that has none; a docker build does as well",
    };
  },
};

/** "The maximum uncompressed image size, including all layers, is 10 GB" (AWS, Lambda quotas). */
const MAX_BYTES = 10 * 1024 ** 3;
const MANY_BYTES = 8 * 1024 ** 3;

export const size: Rule = {
  id: "size",
  severity: "error",
  expects: "the image has at most 10 GB uncompressed, all layers together",
  otherwise: "the function is not created or updated: the image is too large",
  check({ bytes, layers }) {
    const isOver = layers.some(({ read }) => read?.ok === false && read.over);
    if (!isOver && bytes <= MANY_BYTES) return [];
    const severity = isOver || bytes > MAX_BYTES ? "error" : "warning";
    const message = isOver
      ? "the image has more than 10 GB uncompressed, and was not read any further"
      : `the image has ${(bytes / 1e9).toFixed(1)} GB uncompressed, at least`;
    const hint = "find the largest files with lambda-pack inspect, and leave out what is not used";
    return { message, hint, severity };
  },
};

import { familyOf, layerCompression } from "../../../oci/media-types.ts";
import { architectureOf, formatPlatform, platformOf } from "../../../oci/platform.ts";
import type { Problem, Problems, Rule } from "../../rule.ts";

const UNSUPPORTED =
  "InvalidParameterValueException: The image manifest, config or layer media type for the source image is not supported.";

/** Lambda refuses an index (aws-lambda-roadmap#82). */
export const indexUnderTag: Rule = {
  id: "index-under-tag",
  severity: "error",
  expects: "the tag names one image, not an index of several",
  otherwise: UNSUPPORTED,
  check({ index }) {
    if (!index) return [];
    const images = index.filter(({ platform }) => platform?.os !== "unknown");
    const platforms = images.map(({ platform }) =>
      platform ? formatPlatform(platform) : "no platform named",
    );
    const attested =
      images.length < index.length ? `, and ${index.length - images.length} that are attestations` : "";
    return {
      message: `the tag names an index of ${index.length}: ${platforms.join(", ")}${attested}`,
      hint: "lambda-pack push SOURCE DEST --arch x86_64 sends one image; with buildx, add --provenance=false --sbom=false",
    };
  },
};

/** Matches media types of attestations, which have in-toto statements as layers. */
const ATTESTATION = /in-toto|attestation|cosign|spdx|cyclonedx/;

export const attestation: Rule = {
  id: "attestation",
  severity: "error",
  expects: "what the tag names is an image, with a config and layers, not an attestation or another artifact",
  otherwise: UNSUPPORTED,
  check({ manifest, settings, brokenConfig }) {
    if (!manifest) return [];
    const types = [manifest.config.mediaType, ...manifest.layers.map(({ mediaType }) => mediaType)];
    const found = types.find((type) => ATTESTATION.test(type));
    const hint = "deploy the image itself; push attestations as referrers, not under its tag";
    if (found) return { message: `the manifest holds ${found}`, hint };
    if (settings.os !== "unknown" || brokenConfig) return [];
    return { message: "the config's platform is unknown/unknown, as in an attestation", hint };
  },
};

export const mediaTypes: Rule = {
  id: "media-types",
  severity: "error",
  expects:
    "manifest, config and layers have the media types of one family, Docker's or OCI's, and layers are gzip",
  otherwise: `${UNSUPPORTED} Or, after that: ImageLayerFailure: UnsupportedImageLayerDetected`,
  check({ manifest }) {
    if (!manifest) return [];
    const family = familyOf(manifest.mediaType);
    const mixed = [manifest.config, ...manifest.layers].filter(
      ({ mediaType }) => familyOf(mediaType) !== family,
    );
    return [
      ...mixed.slice(0, 1).map(({ mediaType }) => mix(manifest.mediaType, mediaType)),
      layersOf(manifest.layers),
    ];
  },
};

function mix(manifest: string, other: string): Problem {
  return {
    message: `the manifest has the media type ${manifest}, and names ${other}`,
    hint: "lambda-pack push SOURCE DEST writes one family; so does skopeo copy --format oci",
  };
}

function layersOf(layers: readonly { readonly mediaType: string }[]): Problems {
  const wrong = layers.flatMap(({ mediaType }, index) =>
    layerCompression(mediaType) === "gzip" ? [] : [{ mediaType, index }],
  );
  const [first] = wrong;
  if (!first) return [];
  const more = wrong.length > 1 ? `, and ${wrong.length - 1} more like it` : "";
  return {
    message: `layer ${first.index + 1} of ${layers.length} is ${first.mediaType}${more}`,
    hint:
      layerCompression(first.mediaType) === "none"
        ? "lambda-pack push SOURCE DEST compresses such layers"
        : "convert it: lambda-pack push SOURCE DEST --for-lambda",
  };
}

/** An image for another architecture fails only when it starts (aws-lambda-base-images#26, #34). */
export const platform: Rule = {
  id: "platform",
  severity: "error",
  expects: "the image is for linux/amd64 or linux/arm64, and for the architecture of the function",
  otherwise:
    "Runtime.InvalidEntrypoint: fork/exec /lambda-entrypoint.sh: exec format error, at the first call",
  check({ settings, architecture, brokenConfig }) {
    if (brokenConfig || settings.os === "unknown") return [];
    const own = architectureOf(settings);
    const is = `the image is for ${formatPlatform(settings)}`;
    if (!own)
      return { message: is, hint: "build it for linux/amd64 or linux/arm64: lambda-pack build --arch" };
    if (!architecture || architecture === own) return [];
    return {
      message: `${is}, the function for ${architecture} (${formatPlatform(platformOf(architecture))})`,
      hint: `build it with --arch ${architecture}, or give the function the architecture ${own}`,
    };
  },
};

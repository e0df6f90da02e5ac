import { type Image, type ImageConfig, sizeOf } from "../../oci/image.ts";
import { formatPlatform } from "../../oci/platform.ts";
import type { PulledImage } from "../../session/pull.ts";
import type { InspectedConfig, InspectedLayer, Inspection } from "./inspection.ts";

/** Describes an image by its manifest and config, without reading its layers. */
export function describe({ image, reference, digest }: PulledImage): Inspection {
  const { created } = image.settings;
  return {
    reference,
    digest,
    mediaType: image.manifest.descriptor.mediaType,
    platform: formatPlatform(image.settings),
    ...(created !== undefined && { created }),
    size: sizeOf(image),
    config: configOf(image.settings),
    layers: layersOf(image),
  };
}

function configOf({ config = {} }: ImageConfig): InspectedConfig {
  return {
    entrypoint: config.Entrypoint ?? [],
    cmd: config.Cmd ?? [],
    env: config.Env ?? [],
    workdir: config.WorkingDir ?? "",
    user: config.User ?? "",
    labels: config.Labels ?? {},
  };
}

function layersOf({ layers, settings }: Image): readonly InspectedLayer[] {
  const makers = makersOf(settings);
  const own = makers.filter(isOurs).length;
  return layers.map(({ descriptor: { digest, mediaType, size }, diffId }, index) => {
    const createdBy = makers[index];
    return {
      digest,
      diffId,
      mediaType,
      size,
      ...(createdBy && { createdBy }),
      ...(own > 0 && { part: index < layers.length - own ? ("base" as const) : ("app" as const) }),
    };
  });
}

const OURS = "lambda-pack: ";

function isOurs(createdBy: string): boolean {
  return createdBy.startsWith(OURS);
}

/** Returns the command that created each layer; empty if the history does not match the layers. */
export function makersOf({ history, rootfs }: ImageConfig): readonly string[] {
  const ofLayers = (history ?? []).filter((entry) => entry.empty_layer !== true);
  return ofLayers.length === rootfs.diff_ids.length ? ofLayers.map(({ created_by: by = "" }) => by) : [];
}

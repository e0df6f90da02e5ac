import { type Image, type ImageConfig, sizeOf } from "../../oci/image.ts";
import { formatPlatform } from "../../oci/platform.ts";
import { measureUsage } from "../../rootfs/usage.ts";
import { type PulledImage, pullUnchanged } from "../../session/pull.ts";
import { Session } from "../../session/session.ts";
import { warnOfNoEffectOnImages } from "../options/no-effect.ts";
import {
  INSPECT_OPTIONS,
  type InspectedConfig,
  type InspectedLayer,
  type Inspection,
  type InspectOptions,
  parseInspectOptions,
} from "./inspection.ts";

/**
 * Describes an image: its config, its layers, its files by size, and what each layer adds, hides
 * and wastes. Nothing is unpacked or changed. A damaged layer is reported in the result.
 * @throws {@link LambdaPackError} if the image does not exist, or its manifest or config cannot be
 * read
 */
export async function inspect(options: InspectOptions): Promise<Inspection> {
  const { session: sessionPlan, source, platform, files } = parseInspectOptions(options);
  return Session.run(sessionPlan, async (session) => {
    warnOfNoEffectOnImages([source], INSPECT_OPTIONS, options, session.emit);
    const pulled = await pullUnchanged(source, platform, session);
    const inspection = describe(pulled);
    if (!files) return inspection;
    const usage = await measureUsage(pulled.image.layers, session.signal);
    const layers = inspection.layers.map((layer, index) => {
      const contents = usage.layers[index];
      return { ...layer, ...(contents && { contents }) };
    });
    return { ...inspection, layers, contents: usage.contents };
  });
}

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

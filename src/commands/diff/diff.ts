import { configChanges } from "../../oci/config-changes.ts";
import type { Image, Layer } from "../../oci/image.ts";
import { compareImages, type FileChanges } from "../../rootfs/compare-images.ts";
import { compareLayers } from "../../rootfs/compare-layers.ts";
import type { ImageLocation } from "../../session/image-location.ts";
import { type PulledImage, pullUnchanged } from "../../session/pull.ts";
import { Session } from "../../session/session.ts";
import { describe, makersOf } from "../inspect/inspect.ts";
import { warnOfNoEffectOnImages } from "../options/no-effect.ts";
import {
  type ComparedImage,
  type ComparedLayer,
  DIFF_OPTIONS,
  type Difference,
  type DiffOptions,
  type LayerChange,
  parseDiffOptions,
} from "./difference.ts";

/**
 * Compares two images: their configs by field, their layers, and their files, whatever their
 * layers. Only layers that differ are read.
 * @throws {@link LambdaPackError} if an image does not exist or cannot be read
 */
export async function diff(options: DiffOptions): Promise<Difference> {
  const plan = parseDiffOptions(options);
  return Session.run(plan.session, async (session) => {
    warnOfNoEffectOnImages([plan.before, plan.after], DIFF_OPTIONS, options, session.emit);
    const read = (location: ImageLocation) => pullUnchanged(location, plan.platform, session);
    const [before, after] = await Promise.all([read(plan.before), read(plan.after)]);
    const base = basesOf(before.image, after.image);
    const pairs = pairLayers(before.image, after.image);
    const layers: LayerChange[] = [];
    for (const pair of pairs) layers.push(await changeOf(pair, plan.why, session.signal));
    const files = plan.files ? await filesOf(before.image, after.image, session.signal) : undefined;
    return {
      before: comparedOf(before),
      after: comparedOf(after),
      same: before.digest === after.digest,
      config: configChanges(before.image.settings, after.image.settings),
      layers,
      ...(files && { files }),
      ...(base && { base }),
    };
  });
}

function comparedOf(pulled: PulledImage): ComparedImage {
  const { reference, digest, mediaType, platform, size } = describe(pulled);
  return { reference, digest, mediaType, platform, size };
}

const UNCHANGED: FileChanges = {
  added: { count: 0, bytes: 0 },
  removed: { count: 0, bytes: 0 },
  changed: { count: 0, bytes: 0 },
  list: [],
};

async function filesOf(before: Image, after: Image, signal: AbortSignal): Promise<FileChanges> {
  const same =
    before.layers.length === after.layers.length &&
    before.layers.every(({ diffId }, index) => diffId === after.layers[index]?.diffId);
  return same ? UNCHANGED : compareImages(before.layers, after.layers, signal);
}

async function changeOf(pair: LayerPair, why: boolean, signal: AbortSignal): Promise<LayerChange> {
  if (!pair.before) return { change: "added", after: pair.after.facts };
  if (!pair.after) return { change: "removed", before: pair.before.facts };
  const before = pair.before.facts;
  const after = pair.after.facts;
  if (before.digest === after.digest) return { change: "kept", after };
  if (pair.before.layer.diffId === pair.after.layer.diffId) return { change: "recompressed", before, after };
  if (!why) return { change: "changed", before, after };
  return {
    change: "changed",
    before,
    after,
    why: await compareLayers(pair.before.layer, pair.after.layer, signal),
  };
}

const BASE_LABEL = "org.opencontainers.image.base.digest";

function basesOf(
  before: Image,
  after: Image,
): { readonly before: string; readonly after: string } | undefined {
  const [old, fresh] = [before, after].map(({ settings }) => settings.config?.Labels?.[BASE_LABEL]);
  return old !== undefined && fresh !== undefined && old !== fresh
    ? { before: old, after: fresh }
    : undefined;
}

/** A layer with its position in an image. */
interface Placed {
  readonly layer: Layer;
  readonly facts: ComparedLayer;
}

type LayerPair =
  | { readonly before: Placed; readonly after: Placed }
  | { readonly before?: undefined; readonly after: Placed }
  | { readonly before: Placed; readonly after?: undefined };

/**
 * Pairs the layers of `before` and `after`: by blob, else by tar, else by the command in the
 * history, else by their position from the bottom.
 */
export function pairLayers(before: Image, after: Image): readonly LayerPair[] {
  const left = new Set(placed(before));
  const found = new Map<Placed, Placed>();
  const fresh = placed(after);
  for (const same of SAMENESS) {
    for (const one of fresh.filter((each) => !found.has(each))) {
      const other = [...left].find((each) => same(each, one));
      if (!other) continue;
      found.set(one, other);
      left.delete(other);
    }
  }
  return [
    ...fresh.map((one): LayerPair => {
      const other = found.get(one);
      return other ? { before: other, after: one } : { after: one };
    }),
    ...[...left].map((one): LayerPair => ({ before: one })),
  ];
}

const SAMENESS: readonly ((a: Placed, b: Placed) => boolean)[] = [
  (a, b) => a.layer.descriptor.digest === b.layer.descriptor.digest,
  (a, b) => a.layer.diffId === b.layer.diffId,
  (a, b) => a.facts.createdBy !== undefined && a.facts.createdBy === b.facts.createdBy,
  (a, b) => a.facts.index === b.facts.index,
];

function placed(image: Image): readonly Placed[] {
  const makers = makersOf(image.settings);
  return image.layers.map((layer, index) => {
    const { digest, size } = layer.descriptor;
    const createdBy = makers[index];
    return { layer, facts: { index, digest, size, ...(createdBy && { createdBy }) } };
  });
}

import type { Image, Layer } from "../../oci/image.ts";
import { makersOf } from "../inspect/describe.ts";
import type { ComparedLayer } from "./difference.ts";

/** A layer with its position in an image. */
interface Placed {
  readonly layer: Layer;
  readonly facts: ComparedLayer;
}

export type LayerPair =
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

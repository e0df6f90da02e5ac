import type { LayerHow } from "../events.ts";
import type { Image } from "../oci/image.ts";
import type { LayerReport, Spent, Stats } from "../session/options.ts";
import type { Session } from "../session/session.ts";

/** What is known of a layer that this build packed or found again. */
export interface PackedFacts {
  readonly name: string;
  readonly files: number;
  /** Bytes of the files, before compression. */
  readonly bytes: number;
  readonly how: LayerHow;
}

/** One report for each layer: the base's first, then `packed`, which are the topmost. */
export function layerReports(image: Image, packed: readonly PackedFacts[]): readonly LayerReport[] {
  const first = image.layers.length - packed.length;
  return image.layers.map(({ descriptor: { digest, size }, diffId }, index) => {
    const { name, files, how } = packed[index - first] ?? {
      name: `base ${index + 1}`,
      files: 0,
      how: "base" as const,
    };
    return { name, digest, diffId, size, files, how };
  });
}

export function statsOf(packed: readonly PackedFacts[], session: Session): Stats {
  const sum = (pick: (facts: PackedFacts) => number) =>
    packed.reduce((total, facts) => total + pick(facts), 0);
  return {
    files: sum(({ files }) => files),
    bytes: sum(({ bytes }) => bytes),
    ...session.moved,
    ms: session.elapsedMs,
    spent: spentIn(session),
  };
}

function spentIn({ spent: { collect, fingerprint, pack, send } }: Session): Spent {
  return {
    collect: Math.round(collect),
    fingerprint: Math.round(fingerprint),
    pack: Math.round(pack),
    send: Math.round(send),
  };
}

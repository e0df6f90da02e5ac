import type { LayerHow } from "../../events.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Image } from "../../oci/image.ts";
import type { Session, Step } from "../../session/session.ts";

export interface Destination {
  /** The image by digest: `registry/repo@sha256:…` or `oci:DIR@sha256:…`. */
  readonly reference: string;
  readonly digest: Digest;
}

export interface LayerReport {
  readonly name: string;
  readonly digest: Digest;
  readonly diffId: Digest;
  /** Compressed size in bytes. */
  readonly size: number;
  /** Entries that are not directories; 0 for layers of the base, which are not read. */
  readonly files: number;
  readonly how: LayerHow;
}

/** Sizes in bytes, times in milliseconds. */
export interface Stats {
  readonly files: number;
  readonly bytes: number;
  readonly sent: number;
  readonly received: number;
  readonly ms: number;
  /** The time of each step; steps that overlap are counted in full. */
  readonly spent: Readonly<Record<Step, number>>;
}

export interface PushResult {
  readonly digest: Digest;
  /** The first destination, by digest; in a dry run the image is not there. */
  readonly reference: string;
  readonly destinations: readonly Destination[];
  /** `linux/amd64`. */
  readonly platform: string;
  readonly layers: readonly LayerReport[];
  /** The changes made with `forLambda`; empty if none was needed. */
  readonly changes?: readonly string[];
  readonly stats: Stats;
}

/** The facts about a layer that a build added. */
interface AddedLayer {
  readonly name: string;
  readonly files: number;
  /** The size of the files before compression. */
  readonly bytes: number;
  readonly how: LayerHow;
}

/** Returns a report for each layer: the base's first, then `added`, which are on top. */
export function layerReports(image: Image, added: readonly AddedLayer[]): readonly LayerReport[] {
  const first = image.layers.length - added.length;
  return image.layers.map(({ descriptor: { digest, size }, diffId }, index) => {
    const { name, files, how } = added[index - first] ?? {
      name: `base ${index + 1}`,
      files: 0,
      how: "base" as const,
    };
    return { name, digest, diffId, size, files, how };
  });
}

/** Sums up the added layers and the time of each step. */
export function statsOf(added: readonly AddedLayer[], session: Session): Stats {
  const sum = (pick: (facts: AddedLayer) => number) => added.reduce((total, facts) => total + pick(facts), 0);
  return {
    files: sum(({ files }) => files),
    bytes: sum(({ bytes }) => bytes),
    sent: session.totals.sent,
    received: session.totals.received,
    ms: session.elapsedMs,
    spent: session.times.rounded(),
  };
}

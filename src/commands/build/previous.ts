import { hasCode } from "../../errors.ts";
import { type Digest, isDigest } from "../../oci/digest.ts";
import type { HistoryEntry, Image, Layer } from "../../oci/image.ts";
import { layerCompression } from "../../oci/media-types.ts";
import type { Platform } from "../../oci/platform.ts";
import { throughCache } from "../../session/from-registry.ts";
import { selectorOf } from "../../session/image-location.ts";
import type { BuildOptions } from "../../session/options.ts";
import type { Session } from "../../session/session.ts";
import type { Target } from "../../session/target.ts";
import { type Candidate, candidatesOf } from "./candidates.ts";

/** A layer of an image that is there already, and which. */
export interface Remembered {
  readonly layer: Layer;
  /** `registry/app:v41`. */
  readonly from: string;
}

/** What images at the destinations remember of earlier builds. They are looked up when first asked for. */
export interface Previous {
  hasLayers(): Promise<boolean>;
  find(fingerprint: Digest): Promise<Remembered | undefined>;
}

export interface PreviousOptions extends Pick<BuildOptions, "cache" | "reuseFrom"> {
  readonly level: number;
  readonly targets: readonly Target[];
  readonly platform: Platform;
  readonly session: Session;
}

/**
 * The layers of the previous image: of the one that `reuseFrom` names, else of the one that each destination in a registry has under the same tag,
 * else of the newest there. An image that cannot be had is none; only one that was named is worth a warning.
 */
export function openPrevious(options: PreviousOptions): Previous {
  let layers: Promise<ReadonlyMap<Digest, Remembered>> | undefined;
  const load = () => {
    layers ??= loadLayers(options);
    return layers;
  };
  return {
    hasLayers: async () => (await load()).size > 0,
    find: async (fingerprint) => (await load()).get(fingerprint),
  };
}

async function loadLayers(options: PreviousOptions): Promise<ReadonlyMap<Digest, Remembered>> {
  const { cache, session } = options;
  if (cache === false || session.offline) return new Map();
  const images = candidatesOf(options, options.targets, session).map((candidates) =>
    firstOf(candidates, options),
  );
  return new Map((await Promise.all(images)).flatMap((layers) => [...layers]));
}

async function firstOf(
  candidates: AsyncIterable<Candidate>,
  options: PreviousOptions,
): Promise<ReadonlyMap<Digest, Remembered>> {
  for await (const candidate of candidates) {
    const found = await layersAt(candidate, options);
    if (found) return found;
  }
  return new Map();
}

async function layersAt({ endpoint, named }: Candidate, { platform, session, level }: PreviousOptions) {
  const source = session.source(endpoint);
  const selector = selectorOf(endpoint);
  const from =
    selector === undefined ? source.name : `${source.name}${isDigest(selector) ? "@" : ":"}${selector}`;
  try {
    return await layersOf(await source.pull(selector, platform, session.signal), { from, level, session });
  } catch (error) {
    session.signal.throwIfAborted();
    // The destination has to be reached anyway: better known before the work than after it.
    if (hasCode(error, "REGISTRY_UNREACHABLE") && !named) throw error;
    if (named)
      session.emit({ type: "warning", message: `nothing is reused from ${from}: ${wordsOf(error)}` });
    return undefined;
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A fingerprint counts only where it is that of the layer's diffId in the config, which every reader of the image holds it to. */
async function layersOf(
  { layers, settings: { history = [] } }: Image,
  { from, level, session }: { readonly from: string; readonly level: number; readonly session: Session },
): Promise<ReadonlyMap<Digest, Remembered>> {
  const { fingerprintOf } = await import("../../layer/fingerprint.ts");
  const told = history.filter((entry) => entry.empty_layer !== true);
  const found = new Map<Digest, Remembered>();
  if (told.length !== layers.length) return found;
  for (const [index, layer] of layers.entries()) {
    const fingerprint = fingerprintIn(told[index]);
    if (fingerprint !== fingerprintOf(layer.diffId, level)) continue;
    if (layerCompression(layer.descriptor.mediaType) !== "gzip") continue;
    found.set(fingerprint, { layer: { ...layer, ...throughCache(layer, session) }, from });
  }
  return found;
}

/** As `compose` writes it. */
function fingerprintIn(entry: HistoryEntry | undefined): string | undefined {
  return /^fingerprint (sha256:[0-9a-f]{64})$/.exec(entry?.comment ?? "")?.[1];
}

import type { LayerHow } from "../../../events.ts";
import { contentKey } from "../../../layer/keys.ts";
import { pack } from "../../../layer/pack.ts";
import type { Group, SplitRule } from "../../../layer/split.ts";
import type { InstallationPart } from "../../../oci/compose.ts";
import type { Content } from "../../../oci/content.ts";
import type { Digest } from "../../../oci/digest.ts";
import type { Layer } from "../../../oci/image.ts";
import type { Growing, Spool } from "../../../oci/store.ts";
import type { Session } from "../../../session/session.ts";
import type { PreviousLayers } from "./previous.ts";

/** How files become layers. */
export interface LayerPlan {
  readonly rules: readonly SplitRule[];
  /** Deflate level, 1 to 9. */
  readonly level: number;
  /** The modification time of all entries. */
  readonly created: Date;
}

/** A layer that this build adds to the base. */
export interface BuiltLayer {
  readonly name: string;
  readonly layer: Layer;
  readonly fingerprint: Digest;
  /** The number of entries that are not directories. */
  readonly files: number;
  /** The uncompressed size of the files. */
  readonly bytes: number;
  readonly how: LayerHow;
  /** The image of a reused layer: `registry/app:v41`. */
  readonly from?: string | undefined;
  /** The installation of dependencies that the layer is part of. */
  readonly installation?: InstallationPart | undefined;
}

/** The values that all layers of a build share. */
export interface LayerContext extends LayerPlan {
  /** The media type of the base's family. */
  readonly mediaType: string;
  /** The time of the directory scan, in milliseconds since the epoch. */
  readonly scannedAtMs: number;
  readonly previous: PreviousLayers;
  readonly session: Session;
  readonly signal: AbortSignal;
  /** Called with each layer that is being packed, as soon as bytes can be read. */
  readonly onGrowing: (growing: Growing) => void;
}

export type Found = Pick<BuiltLayer, "layer" | "fingerprint" | "how" | "from">;

/** Facts about a group that are known without its files. */
type GroupFacts = Pick<Group, "name" | "files" | "bytes">;

/** Returns a layer that was found. `group` provides its files if its bytes are lost. */
export function layerOf(
  facts: GroupFacts,
  found: Found,
  group: () => Promise<Group | undefined>,
  startedAt: number,
  context: LayerContext,
): BuiltLayer {
  return announce(facts, { ...found, layer: orPacked(found.layer, group, context) }, startedAt, context);
}

function announce(
  { name, files, bytes }: GroupFacts,
  found: Found,
  startedAt: number,
  { session }: LayerContext,
): BuiltLayer {
  const { layer, fingerprint, how, from } = found;
  const { digest, size } = layer.descriptor;
  const ms = Math.round(performance.now() - startedAt);
  const source = from === undefined ? {} : { from };
  session.emit({ type: "layer-ready", name, digest, size, files, bytes, how, ms, ...source });
  return { name, layer, fingerprint, files, bytes, how, from };
}

/**
 * Returns the layer; it is packed again if its bytes are needed and are gone from the cache or the
 * registry.
 */
function orPacked(layer: Layer, group: () => Promise<Group | undefined>, context: LayerContext): Layer {
  const local = async (signal?: AbortSignal): Promise<Content> => {
    try {
      return layer.local ? await layer.local(signal) : layer;
    } catch (error) {
      signal?.throwIfAborted();
      const files = await group();
      const packed = files && (await pack(files.entries, packOptions(files, context)));
      if (packed?.descriptor.digest !== layer.descriptor.digest) throw error;
      return packed;
    }
  };
  return {
    ...layer,
    local,
    async *read(from, signal) {
      yield* (await local(signal)).read(from, signal);
    },
  };
}

/**
 * Packs a layer and records it in the cache.
 * @throws FILE_CHANGED, FILE_UNREADABLE, WRITE_FAILED
 */
export async function packLayer(
  group: Group,
  signature: Digest | undefined,
  context: LayerContext,
): Promise<BuiltLayer> {
  const { session, level } = context;
  const { cache } = session;
  const { entries, files, bytes } = group;
  const startedAt = performance.now();
  const layer = await session.times.measure("pack", () => pack(entries, packOptions(group, context)));
  const fingerprint = contentKey(layer.diffId, level);
  if (cache.directory !== undefined) {
    await cache.rememberLayer(fingerprint, layer, { files, bytes });
    if (signature) await cache.rememberFingerprint(signature, fingerprint, layer);
  }
  return announce(group, { layer, fingerprint, how: "built" }, startedAt, context);
}

function packOptions({ name, bytes: totalBytes }: Group, context: LayerContext) {
  const { session, level, mediaType, created, signal, onGrowing } = context;
  const { spool } = session.cache;
  return {
    spool: { write: (type, bytes, stop) => spool.write(type, bytes, stop, onGrowing) } satisfies Spool,
    level,
    mediaType,
    mtime: created,
    signal,
    onBytes: (bytes: number) => session.emit({ type: "layer-progress", name, bytes, totalBytes }),
  };
}

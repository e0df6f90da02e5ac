import type { Group } from "../../layer/split.ts";
import type { Content } from "../../oci/content.ts";
import type { Layer } from "../../oci/image.ts";
import { signatureHere } from "./find-layer.ts";
import type { Found, Stoppable } from "./making.ts";

/** Should the cache have spoiled the bytes, or the registry lost them, when somebody needs them, they are packed after all. */
export function orPacked(layer: Layer, group: () => Promise<Group | undefined>, making: Stoppable): Layer {
  const local = async (signal?: AbortSignal): Promise<Content> => {
    try {
      return layer.local ? await layer.local(signal) : layer;
    } catch (error) {
      signal?.throwIfAborted();
      const wanted = await group();
      const packed = wanted && (await packLayer(wanted, making));
      if (packed?.layer.descriptor.digest !== layer.descriptor.digest) throw error;
      return packed.layer;
    }
  };
  return {
    ...layer,
    local,
    async *read(from, signal, memory) {
      yield* (await local(signal)).read(from, signal, memory);
    },
  };
}

/** The group as a layer of its own, which the cache remembers. @throws FILE_CHANGED, FILE_UNREADABLE, WRITE_FAILED. */
export async function packLayer(group: Group, making: Stoppable): Promise<Found> {
  const { session, created, level, mediaType, signal } = making;
  const { cache, emit } = session;
  const { name, entries, files, bytes: totalBytes } = group;
  const startedAt = performance.now();
  const { pack } = await import("../../layer/pack.ts"); // with zlib and threads behind it, which a layer that is there needs none of
  const { fingerprintOf } = await import("../../layer/fingerprint.ts");
  const layer = await pack(entries, {
    spool: cache.spoolShown(making.onGrowing),
    level,
    mediaType,
    mtime: created,
    signal,
    onBytes: (bytes) => emit({ type: "layer-progress", name, bytes, totalBytes }),
  });
  session.spend("pack", startedAt);
  const fingerprint = fingerprintOf(layer.diffId, level);
  if (cache.directory !== undefined) {
    await cache.rememberLayer(fingerprint, layer, { files, bytes: totalBytes });
    const signature = await signatureHere(group, making);
    if (signature) await cache.rememberFingerprint(signature, fingerprint, layer);
  }
  return { layer, fingerprint, how: "built" };
}

import type { LayerHow } from "../events.ts";
import { HASHED_BESIDE } from "../layer/encode/limits.ts";
import type { Group } from "../layer/split.ts";
import type { Content } from "../oci/content.ts";
import type { Digest } from "../oci/digest.ts";
import type { Layer } from "../oci/image.ts";
import type { Growing } from "../oci/store.ts";
import type { Previous } from "./previous.ts";
import type { PackedFacts } from "./report.ts";
import type { Session } from "./session.ts";
import { together } from "./together.ts";

/** A layer of the image that this build adds. */
export interface MadeLayer extends PackedFacts {
  readonly layer: Layer;
  readonly fingerprint: Digest;
}

export interface Making {
  /** Of the base's family. */
  readonly mediaType: string;
  readonly created: Date;
  readonly level: number;
  /** When the files were looked at; milliseconds since the epoch. */
  readonly seenAt: number;
  readonly previous: Previous;
  readonly session: Session;
  /** Is given each layer that is packed, as soon as there is a place for its bytes. */
  readonly onGrowing: (growing: Growing) => void;
}

/** A layer that was there last time. */
export interface KnownLayer {
  readonly name: string;
  readonly fingerprint: Digest;
}

interface Stoppable extends Making {
  readonly signal: AbortSignal;
  /** Whether there was anything to be found before the first layer was packed: then reading all files is worth it. */
  readonly mayBeFound: boolean;
}

/** Where a layer comes from; `from` names the image that it is remembered from. */
interface Found {
  readonly layer: Layer;
  readonly fingerprint: Digest;
  readonly how: LayerHow;
  readonly from?: string;
}

/**
 * While the last blocks of a layer are deflated, not every core has something to do: the next one is begun before. A tree in 18 layers took 12 % less
 * time so, for 5 MB; three at once were no faster. The largest comes first: it takes longest to send, and no core waits for it alone at the end.
 */
const PACKED_AT_ONCE = 2;

/**
 * Each group as a layer: from the cache, from the previous image at the destination, or packed now.
 * @throws FILE_CHANGED, FILE_UNREADABLE, WRITE_FAILED.
 */
export async function makeLayers(
  groups: readonly Group[],
  making: Making,
  outer: AbortSignal,
): Promise<readonly MadeLayer[]> {
  const mayBeFound = (await making.session.cache.hasLayers()) || (await making.previous.hasLayers());
  const made = new Map<Group, MadeLayer>();
  const largestFirst = [...groups].sort((a, b) => b.bytes - a.bytes);
  await each(largestFirst, HASHED_BESIDE, outer, async (group, signal) => {
    const found = await foundLayer(group, { ...making, signal, mayBeFound });
    if (found) made.set(group, found);
  });
  const missing = largestFirst.filter((group) => !made.has(group));
  await each(missing, PACKED_AT_ONCE, outer, async (group, signal) => {
    made.set(group, await packedLayer(group, { ...making, signal, mayBeFound }));
  });
  return groups.flatMap((group) => made.get(group) ?? []);
}

/** At the first failure the rest is aborted. */
async function each<T>(
  items: readonly T[],
  atOnce: number,
  outer: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  await together(outer, (signal) =>
    Array.from({ length: atOnce }, async () => {
      for (const item of queue) await work(item, signal);
    }),
  );
}

/**
 * The layers of these fingerprints, when the cache has every one; `groups` is asked only where it has spoiled one that somebody needs.
 * undefined when one is not there.
 */
export async function knownLayers(
  known: readonly KnownLayer[],
  groups: () => Promise<readonly Group[]>,
  making: Making,
): Promise<readonly MadeLayer[] | undefined> {
  const { cache, signal, emit } = making.session;
  const made: MadeLayer[] = [];
  for (const { name, fingerprint } of known) {
    const found = await cache.expectLayer(fingerprint);
    if (!found) return undefined;
    const group = async () => (await groups()).find((one) => one.name === name);
    const layer = orPacked(found.layer, group, { ...making, signal, mayBeFound: true });
    made.push({ name, layer, fingerprint, files: found.files, bytes: found.bytes, how: "cached" });
  }
  for (const { name, layer, files, bytes, how } of made) {
    const { digest, size } = layer.descriptor;
    emit({ type: "layer-ready", name, digest, size, files, bytes, how, ms: 0 });
  }
  return made;
}

async function foundLayer(group: Group, making: Stoppable): Promise<MadeLayer | undefined> {
  const startedAt = performance.now();
  const found = await findLayer(group, making);
  if (!found) return undefined;
  return announced(
    group,
    { ...found, layer: orPacked(found.layer, async () => group, making) },
    startedAt,
    making,
  );
}

async function packedLayer(group: Group, making: Stoppable): Promise<MadeLayer> {
  const startedAt = performance.now();
  return announced(group, await packLayer(group, making), startedAt, making);
}

function announced(
  { name, files, bytes }: Group,
  { layer, fingerprint, how, from }: Found,
  startedAt: number,
  { session: { emit } }: Making,
): MadeLayer {
  const { digest, size } = layer.descriptor;
  const ms = Math.round(performance.now() - startedAt);
  emit({
    type: "layer-ready",
    name,
    digest,
    size,
    files,
    bytes,
    how,
    ms,
    ...(from !== undefined && { from }),
  });
  return { name, layer, fingerprint, files, bytes, how };
}

/** Two steps: by the state of the files, where nothing was touched since; else by what is in them. */
async function findLayer(group: Group, making: Stoppable): Promise<Found | undefined> {
  const { cache } = making.session;
  const signature = await signatureHere(group, making);
  const known = signature && (await cache.findFingerprint(signature));
  if (known) return findByFingerprint(known, making);
  if (!making.mayBeFound) return undefined;
  const fingerprint = await fingerprintNow(group, making);
  const found = await findByFingerprint(fingerprint, making);
  if (found && signature) await cache.rememberFingerprint(signature, fingerprint, found.layer);
  return found;
}

async function fingerprintNow(
  { entries }: Group,
  { created, level, session, signal }: Stoppable,
): Promise<Digest> {
  const startedAt = performance.now();
  const { diffIdOf, fingerprintOf } = await import("../layer/fingerprint.ts");
  const diffId = await diffIdOf(entries, { mtime: created, signal });
  session.spend("fingerprint", startedAt);
  return fingerprintOf(diffId, level);
}

async function signatureHere(
  { state }: Group,
  { created, level, seenAt, session }: Making,
): Promise<Digest | undefined> {
  if (session.cache.directory === undefined) return undefined;
  const startedAt = performance.now();
  const { signatureOf } = await import("../layer/fingerprint.ts");
  const now = state(seenAt);
  const signature = now && signatureOf(now, { level, mtime: created });
  session.spend("fingerprint", startedAt);
  return signature;
}

async function findByFingerprint(
  fingerprint: Digest,
  { session: { cache }, previous }: Making,
): Promise<Found | undefined> {
  const cached = await cache.expectLayer(fingerprint);
  if (cached) return { layer: cached.layer, fingerprint, how: "cached" };
  const remembered = await previous.find(fingerprint);
  return remembered && { ...remembered, fingerprint, how: "remembered" };
}

/** Should the cache have spoiled the bytes, or the registry lost them, when somebody needs them, they are packed after all. */
function orPacked(layer: Layer, group: () => Promise<Group | undefined>, making: Stoppable): Layer {
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

async function packLayer(group: Group, making: Stoppable): Promise<Found> {
  const { session, created, level, mediaType, signal } = making;
  const { cache, emit } = session;
  const { name, entries, files, bytes: totalBytes } = group;
  const startedAt = performance.now();
  const { pack } = await import("../layer/pack.ts"); // with zlib and threads behind it, which a layer that is there needs none of
  const { fingerprintOf } = await import("../layer/fingerprint.ts");
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

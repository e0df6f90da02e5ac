import { mapConcurrent } from "../../../async/concurrency.ts";
import type { CachedLayer } from "../../../cache/cache.ts";
import { HASHED_AT_ONCE } from "../../../layer/encode/limits.ts";
import { contentKey, diffIdOf, statKey } from "../../../layer/keys.ts";
import type { Group } from "../../../layer/split.ts";
import type { Digest } from "../../../oci/digest.ts";
import { type BuiltLayer, type Found, type LayerContext, layerOf, packLayer } from "./built-layer.ts";

/**
 * A digest of each group's file metadata on this machine. A group whose metadata cannot prove that
 * its files are unchanged has none.
 */
type Signatures = ReadonlyMap<Group, Digest>;

/** Computes the signatures of groups from the directory scan, without reading files. */
export async function signaturesOf(groups: readonly Group[], context: LayerContext): Promise<Signatures> {
  const { level, created, scannedAtMs, session } = context;
  if (session.cache.directory === undefined) return new Map();
  return session.times.measure("fingerprint", async () => {
    const signatures = new Map<Group, Digest>();
    for (const group of groups) {
      const signature = statKey(group.entries, { level, mtime: created, scannedAtMs });
      if (signature) signatures.set(group, signature);
    }
    return signatures;
  });
}

/** Finds layers in the cache by the metadata of their files, without reading them. */
export async function findUntouched(
  groups: readonly Group[],
  signatures: Signatures,
  context: LayerContext,
): Promise<ReadonlyMap<Group, BuiltLayer>> {
  const { cache } = context.session;
  const found = new Map<Group, BuiltLayer>();
  for (const group of groups) {
    const startedAt = performance.now();
    const signature = signatures.get(group);
    const fingerprint = signature && (await cache.findFingerprint(signature));
    const cached = fingerprint && (await cachedLayer(fingerprint, context));
    if (cached)
      found.set(group, layerFrom(group, { ...cached, fingerprint, how: "cached" }, startedAt, context));
  }
  return found;
}

/**
 * Two layers at once, because some cores are idle while the last blocks of one are deflated (12 %
 * faster for 18 layers; three at once were no faster). The largest is first, because its upload
 * takes longest.
 */
const PACKED_AT_ONCE = 2;

/**
 * Turns each group into a layer: one of `untouched`, one from the cache or the previous image, or a
 * newly packed one.
 * @throws FILE_CHANGED, FILE_UNREADABLE, WRITE_FAILED
 */
export async function buildLayers(
  groups: readonly Group[],
  signatures: Signatures,
  untouched: ReadonlyMap<Group, BuiltLayer>,
  context: LayerContext,
): Promise<readonly BuiltLayer[]> {
  const built = new Map(untouched);
  const unknown = (): readonly Group[] =>
    groups.filter((group) => !built.has(group)).sort((a, b) => b.bytes - a.bytes);
  if (unknown().length > 0 && (await mayFind(context)))
    await mapConcurrent(unknown(), { limit: HASHED_AT_ONCE, ...context }, async (group, signal) => {
      const found = await findLayer(group, signatures.get(group), { ...context, signal });
      if (found) built.set(group, found);
    });
  await mapConcurrent(unknown(), { limit: PACKED_AT_ONCE, ...context }, async (group, signal) => {
    built.set(group, await packLayer(group, signatures.get(group), { ...context, signal }));
  });
  return groups.flatMap((group) => built.get(group) ?? []);
}

/** Returns whether any layer can be found by content; if none can, no file is read for it. */
async function mayFind({ session, previous }: LayerContext): Promise<boolean> {
  return (await session.cache.hasLayers()) || (await previous.hasLayers());
}

async function findLayer(
  group: Group,
  signature: Digest | undefined,
  context: LayerContext,
): Promise<BuiltLayer | undefined> {
  const { created, level, session, signal, previous } = context;
  const startedAt = performance.now();
  const fingerprint = await session.times.measure("fingerprint", async () =>
    contentKey(await diffIdOf(group.entries, { mtime: created, signal }), level),
  );
  const cached = await cachedLayer(fingerprint, context);
  const found = cached
    ? ({ layer: cached.layer, fingerprint, how: "cached" } as const)
    : await previous.find(fingerprint);
  if (!found) return undefined;
  if (signature) await session.cache.rememberFingerprint(signature, fingerprint, found.layer);
  return layerFrom(group, found, startedAt, context);
}

/** Returns the cached layer; undefined also if the record's diffID has another fingerprint. */
export async function cachedLayer(
  fingerprint: Digest,
  { session, level }: LayerContext,
): Promise<CachedLayer | undefined> {
  const found = await session.cache.findLayer(fingerprint);
  return found && contentKey(found.layer.diffId, level) === fingerprint ? found : undefined;
}

/** Returns a layer that was found; it is packed if its bytes are lost. */
function layerFrom(group: Group, found: Found, startedAt: number, context: LayerContext): BuiltLayer {
  return layerOf(group, found, async () => group, startedAt, context);
}

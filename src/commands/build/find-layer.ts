import type { CachedLayer } from "../../cache/cache.ts";
import type { Group } from "../../layer/split.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Found, Making, Stoppable } from "./making.ts";

/** Two steps: by the state of the files, where nothing was touched since; else by what is in them. */
export async function findLayer(group: Group, making: Stoppable): Promise<Found | undefined> {
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
  const { diffIdOf, fingerprintOf } = await import("../../layer/fingerprint.ts");
  const diffId = await diffIdOf(entries, { mtime: created, signal });
  session.spend("fingerprint", startedAt);
  return fingerprintOf(diffId, level);
}

/** undefined where nothing is kept, or the state of the files proves nothing. */
export async function signatureHere(
  { state }: Group,
  { created, level, seenAt, session }: Making,
): Promise<Digest | undefined> {
  if (session.cache.directory === undefined) return undefined;
  const startedAt = performance.now();
  const { signatureOf } = await import("../../layer/fingerprint.ts");
  const now = state(seenAt);
  const signature = now && signatureOf(now, { level, mtime: created });
  session.spend("fingerprint", startedAt);
  return signature;
}

async function findByFingerprint(fingerprint: Digest, making: Stoppable): Promise<Found | undefined> {
  const cached = await cachedLayer(fingerprint, making);
  if (cached) return { layer: cached.layer, fingerprint, how: "cached" };
  const remembered = await making.previous.find(fingerprint);
  return remembered && { ...remembered, fingerprint, how: "remembered" };
}

/** The cache's layer of this fingerprint; undefined also where its record names a diffID of another fingerprint. */
export async function cachedLayer(
  fingerprint: Digest,
  { session: { cache }, level }: Making,
): Promise<CachedLayer | undefined> {
  const found = await cache.expectLayer(fingerprint);
  if (!found) return undefined;
  const { fingerprintOf } = await import("../../layer/fingerprint.ts");
  return fingerprintOf(found.layer.diffId, level) === fingerprint ? found : undefined;
}

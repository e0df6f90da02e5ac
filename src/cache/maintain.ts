import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isAbandoned } from "../blobs/partial.ts";
import { type Digest, hexOf, isDigest } from "../oci/digest.ts";
import { SESSION_STEM } from "./directory.ts";
import { digestOfFile } from "./entries.ts";
import { RECORD_KINDS, readRecord } from "./records.ts";

/** Sizes in bytes. */
export interface CacheInfo {
  readonly directory: string;
  readonly blobs: number;
  readonly bytes: number;
  /** Fingerprints of layers. */
  readonly layers: number;
  /** References of base images. */
  readonly references: number;
}

export interface PruneReport {
  readonly removed: number;
  readonly freedBytes: number;
  readonly blobs: number;
  readonly bytes: number;
}

export interface VerifyReport {
  /** Intact blobs. */
  readonly blobs: number;
  readonly bytes: number;
  /** Paths of damaged files, which have been removed. */
  readonly removed: readonly string[];
}

interface Blob {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  /** When it was last used. */
  readonly mtimeMs: number;
}

export async function infoOf(root: string): Promise<CacheInfo> {
  const blobs = await listBlobs(root);
  return {
    directory: root,
    blobs: blobs.length,
    bytes: sizeOf(blobs),
    layers: (await namesIn(join(root, "layers"))).length,
    references: (await namesIn(join(root, "references"))).length,
  };
}

/**
 * Removes the least recently used blobs first. Of the processes that have the cache open, takes the
 * oldest; blobs used after it opened the cache are kept, whatever the limit.
 */
export async function prune(root: string, maxBytes: number): Promise<PruneReport> {
  const blobs = [...(await listBlobs(root))].sort((a, b) => a.mtimeMs - b.mtimeMs);
  const oldestSession = await oldestSessionOf(root);
  const before = sizeOf(blobs);
  let bytes = before;
  let removed = 0;
  for (const blob of blobs) {
    if (bytes <= maxBytes) break;
    // The time is read again: another process may have used the blob meanwhile.
    const { mtimeMs } = await lstat(blob.path).catch(() => blob);
    if (mtimeMs >= oldestSession) continue;
    await rm(blob.path, { recursive: true, force: true });
    bytes -= blob.size;
    removed += 1;
  }
  if (removed > 0) await dropRecords(root);
  return { removed, freedBytes: before - bytes, blobs: blobs.length - removed, bytes };
}

export async function verify(root: string): Promise<VerifyReport> {
  const removed: string[] = [];
  const whole: Blob[] = [];
  for (const blob of await listBlobs(root)) {
    const digest = `sha256:${blob.name}`;
    if (isDigest(digest) && (await digestOfFile(blob.path)) === digest) whole.push(blob);
    else removed.push(blob.path);
  }
  for (const path of removed) await rm(path, { recursive: true, force: true });
  return { blobs: whole.length, bytes: sizeOf(whole), removed: [...removed, ...(await dropRecords(root))] };
}

/** Removes records that are damaged or have no blob. Returns the paths of the damaged ones. */
async function dropRecords(root: string): Promise<readonly string[]> {
  const damaged: string[] = [];
  for (const directory of RECORD_KINDS.map((kind) => join(root, kind))) {
    for (const name of await namesIn(directory)) {
      const path = join(directory, name);
      const record = readRecord(path);
      if (record === "missing") continue;
      if (record === "damaged") damaged.push(path);
      else if (await isHeld(root, record.blob)) continue;
      await rm(path, { recursive: true, force: true });
    }
  }
  return damaged;
}

async function isHeld(root: string, blob: Digest): Promise<boolean> {
  const found = await lstat(join(root, "blobs", "sha256", hexOf(blob))).catch(() => undefined);
  return found !== undefined;
}

async function listBlobs(root: string): Promise<readonly Blob[]> {
  const directory = join(root, "blobs", "sha256");
  const blobs: Blob[] = [];
  for (const name of await namesIn(directory)) {
    const path = join(directory, name);
    const found = await lstat(path).catch(() => undefined);
    if (found) blobs.push({ path, name, size: found.size, mtimeMs: found.mtimeMs });
  }
  return blobs;
}

async function namesIn(directory: string): Promise<readonly string[]> {
  return readdir(directory).catch(() => []);
}

function sizeOf(blobs: readonly Blob[]): number {
  return blobs.reduce((sum, { size }) => sum + size, 0);
}

/** Returns when the oldest open process opened the cache, in milliseconds since 1970. */
async function oldestSessionOf(root: string): Promise<number> {
  let oldest = Number.POSITIVE_INFINITY;
  for (const name of await namesIn(root)) {
    const path = join(root, name);
    if (!name.startsWith(`${SESSION_STEM}.`) || (await isAbandoned(name, path))) continue;
    const found = await lstat(path).catch(() => undefined);
    oldest = Math.min(oldest, found?.mtimeMs ?? oldest);
  }
  return oldest;
}

import { lstatSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createSingleFlight } from "../async/single-flight.ts";
import { openBlobs } from "../blobs/blobs.ts";
import { isSystemError } from "../blobs/disk.ts";
import { readFileFrom } from "../blobs/file-content.ts";
import type { Durability } from "../blobs/partial.ts";
import { LambdaPackError } from "../errors.ts";
import type { Content } from "../oci/content.ts";
import { createDigester, type Digest, digestOf } from "../oci/digest.ts";
import type { Spool, Watch } from "../oci/store.ts";
import { stamp } from "./private-directory.ts";

/** A file's state when its bytes were checked. While it is the same, they are not read again. */
interface Seen {
  readonly size: number;
  readonly ino: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

/** Opens the blobs below `root`, which are checked against their digests. */
export function openEntries(root: string, durability: Durability) {
  const blobs = openBlobs(root, { durability, access: "private" });
  const checked = new Map<Digest, Seen>();
  const checks = createSingleFlight<boolean>();
  let grown = false;
  const downloads = createSingleFlight<void>();

  const isGood = async (digest: Digest): Promise<boolean> => {
    const path = blobs.pathOf(digest);
    const known = checked.get(digest);
    if (known && isSame(known, look(path))) return true;
    return checks(digest, async () => {
      const seen = await check(path, digest);
      if (seen) checked.set(digest, seen);
      return seen !== undefined;
    });
  };
  /** Returns a checked content; undefined if it is missing, or was damaged and has been removed. */
  const find = async (digest: Digest, size: number): Promise<Content | undefined> => {
    if (!(await isGood(digest))) return undefined;
    const descriptor = { mediaType: "application/octet-stream", digest, size };
    return checked.get(digest)?.size === size ? blobs.open(descriptor) : undefined;
  };
  const remember = (digest: Digest): void => {
    const path = blobs.pathOf(digest);
    stamp(path);
    const seen = look(path);
    if (seen) checked.set(digest, seen);
    grown = true;
  };
  const write: Spool["write"] = async (mediaType, bytes, signal, onGrowing) => {
    const content = await blobs.add(mediaType, bytes, { signal, onGrowing });
    remember(content.descriptor.digest);
    return content;
  };
  return {
    find,
    /** Returns a content that is checked when first read; undefined without a file of this size. */
    async expect(digest: Digest, size: number): Promise<Content | undefined> {
      const path = blobs.pathOf(digest);
      stamp(path);
      if (look(path)?.size !== size) return undefined;
      return checkedWhenRead(digest, size, () => find(digest, size));
    },
    /** Returns whether anything was added. */
    hasGrown: () => grown,
    write,
    /**
     * Copies the content to a local file and checks it. Concurrent calls for one digest read it once.
     */
    async keep(content: Content, watch: Watch = {}): Promise<Content> {
      const { descriptor } = content;
      const written = { isOurs: false };
      const fetch = async () => {
        if (await find(descriptor.digest, descriptor.size)) return;
        await blobs.put(content, watch);
        remember(descriptor.digest);
        written.isOurs = true;
      };
      await downloads(descriptor.digest, fetch, watch.signal);
      return { ...blobs.open(descriptor), ...(written.isOurs && written) };
    },
  };
}

/** A damaged content throws CONTENT_MISMATCH before its first byte. */
function checkedWhenRead(digest: Digest, size: number, find: () => Promise<Content | undefined>): Content {
  const local = async (): Promise<Content> => {
    const found = await find();
    if (found) return found;
    throw new LambdaPackError("CONTENT_MISMATCH", `${digest} was damaged in the cache`);
  };
  return {
    descriptor: { mediaType: "application/octet-stream", digest, size },
    local,
    async *read(from, signal) {
      yield* (await local()).read(from, signal);
    },
  };
}

/** Marks a blob as used now and reads all of it. Removes one that does not match its digest. */
async function check(path: string, digest: Digest): Promise<Seen | undefined> {
  stamp(path);
  const before = look(path);
  if (!before) return undefined;
  if ((await digestOfFile(path)) !== digest) {
    await removeIfSame(path, before);
    return undefined;
  }
  return isSame(before, look(path)) ? before : undefined;
}

/** Returns undefined if there is no file. Does not follow links: the cache has none. */
function look(path: string): Seen | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found && { size: found.size, ino: found.ino, mtimeMs: found.mtimeMs, ctimeMs: found.ctimeMs };
}

function isSame(a: Seen, b: Seen | undefined): boolean {
  return a.size === b?.size && a.ino === b.ino && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs;
}

/** In bytes. Smaller files, such as manifests, are read synchronously, which is faster. */
const SMALL = 64 * 1024;

/** Returns undefined if it cannot be read as a file: another kind, no permission, a disk error. */
export async function digestOfFile(path: string): Promise<Digest | undefined> {
  const digester = createDigester();
  try {
    const found = lstatSync(path);
    if (!found.isFile()) return undefined;
    if (found.size <= SMALL) return digestOf(readFileSync(path));
    for await (const chunk of readFileFrom(path, 0)) digester.update(chunk);
    return digester.digest();
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

/**
 * Removes a damaged blob, but not one that another process has put there meanwhile. One that cannot
 * be removed fails the next check as well.
 */
async function removeIfSame(path: string, seen: Seen): Promise<void> {
  const now = look(path);
  if (now?.ino === seen.ino) await rm(path, { recursive: true, force: true }).catch(() => undefined);
}

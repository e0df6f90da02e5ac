import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "../blobs/lock.ts";
import { replaceFile } from "../blobs/partial.ts";
import { kindOf, readConfigurationFile } from "../blobs/regular-file.ts";
import { LambdaPackError } from "../errors.ts";
import { type Digest, parseDigest } from "../oci/digest.ts";
import { field, type Json, object, optional, parseJson, string } from "../oci/json.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { parseReference } from "../oci/reference.ts";
import type { PulledImage } from "../session/pull.ts";

export const LOCK_FILE = "lambda-pack.lock";
const VERSION = 1;
/** In bytes; one base takes about 150. */
const LOCK_LIMIT = 1024 * 1024;

/**
 * The digests of bases by name (`public.ecr.aws/lambda/python:3.12`), then by platform
 * (`linux/amd64`).
 */
type BaseLock = Readonly<Record<string, Readonly<Record<string, Digest>>>>;

/** How a build uses its base lock. */
export interface LockPlan {
  readonly path: string;
  /**
   * - `obey`: pull the digest in the lock; without one, what the tag names now.
   * - `write`: as `obey`, and add the base to the lock where it is missing.
   * - `update`: pull what the tag names now, and write that to the lock.
   * - `require`: pull what the tag names now, and stop where that is not the digest in the lock.
   */
  readonly mode: "obey" | "write" | "update" | "require";
}

/** Gives the path of the base lock: in the source directory, unless the user named another one. */
export function lockPath(directory: string, lockFile: string | undefined): string {
  return lockFile ?? join(directory, LOCK_FILE);
}

/** What a build pulls as its base, and what it does when that has been pulled. */
interface BasePin {
  /** undefined: what the tag names now. */
  readonly digest: Digest | undefined;
  /** Compares the image with the lock, or writes it there. @throws LOCK_REFUSED, WRITE_FAILED. */
  readonly verifyAndRecord: (pulled: PulledImage) => Promise<void>;
}

const NO_PIN: BasePin = { digest: undefined, verifyAndRecord: async () => undefined };

/**
 * Reads which digest the lock has for the base `name`. A name that has a digest needs no lock.
 * @throws LOCK_REFUSED where the lock cannot be read.
 */
export function pinBase(name: string, platform: Platform | undefined, { path, mode }: LockPlan): BasePin {
  if (parseReference(name).digest) return NO_PIN;
  const lock = readLock(path);
  const digest = lock && lockedDigest(lock, name, platform && formatPlatform(platform));
  if (mode === "require")
    return { digest: undefined, verifyAndRecord: async (pulled) => compare(pulled, name, digest, path) };
  return {
    digest: mode === "update" ? undefined : digest,
    verifyAndRecord: async ({ image, digest: found }) => {
      if (mode !== "obey") await writeLock(path, name, formatPlatform(image.settings), found);
    },
  };
}

/** Without a platform: the digest for Lambda's default, or the only one. */
function lockedDigest(lock: BaseLock, name: string, platform: string | undefined): Digest | undefined {
  const digests = lock[name] ?? {};
  const [only, ...others] = Object.values(digests);
  const isOnly = platform === undefined && others.length === 0;
  return digests[platform ?? "linux/amd64"] ?? (isOnly ? only : undefined);
}

function compare(
  { digest: found }: PulledImage,
  name: string,
  locked: Digest | undefined,
  path: string,
): void {
  if (locked === found) return;
  const expected = locked === undefined ? `${path} does not name it` : `${path} has ${locked}`;
  throw refused(
    `${name} is ${found} now, and ${expected}`,
    "build without --locked, or update the lock with --update-base",
  );
}

/**
 * Reads a base lock; undefined where there is no such file.
 * @throws LOCK_REFUSED where it cannot be read or is damaged.
 */
export function readLock(path: string): BaseLock | undefined {
  const bytes = readConfigurationFile(path, {
    maxBytes: LOCK_LIMIT,
    code: "LOCK_REFUSED",
    hint: `make it a readable regular file, or remove ${path} and build with --lock`,
  });
  if (bytes === undefined) return undefined;
  try {
    return parseLock(parseJson(bytes, path, LOCK_LIMIT));
  } catch (error) {
    const reason = error instanceof LambdaPackError ? error.message : String(error);
    throw refused(`the base lock is damaged: ${reason}`, `remove ${path} and build with --lock`, error);
  }
}

function parseLock(json: Json): BaseLock {
  const version = field(json, "lockfileVersion");
  if (version.value !== VERSION)
    throw new LambdaPackError("LOCK_REFUSED", `${version.path} is not ${VERSION}`);
  const bases = optional(field(json, "bases"), object) ?? {};
  return Object.fromEntries(
    Object.keys(bases).map((name) => [name, platformsOf(field(field(json, "bases"), name))]),
  );
}

function platformsOf(json: Json): Readonly<Record<string, Digest>> {
  const pairs = Object.keys(object(json)).map((platform) => {
    const digest = field(json, platform);
    return [platform, parseDigest(string(digest), digest.path)] as const;
  });
  return Object.fromEntries(pairs);
}

/** Is there while the base lock is read and replaced: two builds may write to one lock. */
export function guardPath(path: string): string {
  return `${path}.lock`;
}

/**
 * Writes the digest of a base to the lock and keeps its other entries, also those that another
 * process writes at the same time. A lock that has the digest already is not written.
 * @throws WRITE_FAILED, LOCK_REFUSED.
 */
export async function writeLock(path: string, name: string, platform: string, digest: Digest): Promise<void> {
  const has = (lock: BaseLock) => lock[name]?.[platform] === digest;
  if (has(readLock(path) ?? {})) return;
  await refuseSpecial(path);
  await withLock(guardPath(path), async () => {
    const before = readLock(path) ?? {};
    if (has(before)) return;
    const bases = sorted({ ...before, [name]: sorted({ ...before[name], [platform]: digest }) });
    await replaceFile(path, `${JSON.stringify({ lockfileVersion: VERSION, bases }, undefined, 2)}\n`);
  });
}

/** A link in a source directory may lead to any file of this user. */
async function refuseSpecial(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (!found || found.isFile()) return;
  throw new LambdaPackError("WRITE_FAILED", `${path} is ${kindOf(found)}, which is not replaced`, {
    hint: `remove ${path}, then build with --lock`,
  });
}

function sorted<T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function refused(message: string, hint: string, cause?: unknown): LambdaPackError {
  return new LambdaPackError("LOCK_REFUSED", message, { hint, cause });
}

import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../blobs/partial.ts";
import { kindOf, readConfigurationFile } from "../blobs/regular-file.ts";
import { LambdaPackError } from "../errors.ts";
import { type Digest, parseDigest } from "../oci/digest.ts";
import { field, type Json, object, optional, parseJson, string } from "../oci/json.ts";

export const LOCK_FILE = "lambda-pack.lock";
const VERSION = 1;
/** Bytes; a base takes some 150. */
const LOCK_LIMIT = 1024 * 1024;

/** What floating bases resolved to: by name (`public.ecr.aws/lambda/python:3.12`), then by platform (`linux/amd64`). */
export type BaseLock = Readonly<Record<string, Readonly<Record<string, Digest>>>>;

/** How a build uses its base lock. */
export interface LockPlan {
  readonly path: string;
  /**
   * `obey`: the base is what the lock says, where it names it. `write`: also, and it is added where
   * it is missing. `update`: the base is what its tag names now, and the lock is updated.
   * `require`: the build stops where the tag names another image than the lock.
   */
  readonly mode: "obey" | "write" | "update" | "require";
}

/** The path of the base lock: in the source directory, unless the user named another one. */
export function lockPath(directory: string, lockFile: string | undefined): string {
  return lockFile ?? join(directory, LOCK_FILE);
}

/**
 * undefined where there is no such file.
 * @throws LOCK_REFUSED where it is no lock.
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

/** The digest that a base is held to; without a platform Lambda's default, or the only one there is. */
export function lockedDigest(lock: BaseLock, name: string, platform: string | undefined): Digest | undefined {
  const digests = lock[name] ?? {};
  const [only, ...others] = Object.values(digests);
  return (
    digests[platform ?? "linux/amd64"] ?? (platform === undefined && others.length === 0 ? only : undefined)
  );
}

/** Afterwards the lock names `digest`, and all else that it named before; the same content is not written again. @throws WRITE_FAILED. */
export async function writeLock(path: string, name: string, platform: string, digest: Digest): Promise<void> {
  const before = readLock(path) ?? {};
  if (before[name]?.[platform] === digest) return;
  const bases = sorted({ ...before, [name]: sorted({ ...before[name], [platform]: digest }) });
  await refuseSpecial(path);
  await replaceFile(path, `${JSON.stringify({ lockfileVersion: VERSION, bases }, undefined, 2)}\n`);
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

/** LOCK_REFUSED. */
export function refused(message: string, hint: string, cause?: unknown): LambdaPackError {
  return new LambdaPackError("LOCK_REFUSED", message, { hint, cause });
}

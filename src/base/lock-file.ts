import { lstat } from "node:fs/promises";
import { withLock } from "../blobs/lock.ts";
import { replaceFile } from "../blobs/partial.ts";
import { kindOf, readConfigurationFile } from "../blobs/regular-file.ts";
import { LambdaPackError } from "../errors.ts";
import { type Digest, parseDigest } from "../oci/digest.ts";
import { field, type Json, object, optional, parseJson, string, strings } from "../oci/json.ts";

const VERSION = 1;
/** In bytes; one base takes about 150. */
const LOCK_LIMIT = 1024 * 1024;

/**
 * The digests of bases by name (`public.ecr.aws/lambda/python:3.12`), then by platform
 * (`linux/amd64`).
 */
export type BaseLock = Readonly<Record<string, Readonly<Record<string, Digest>>>>;

/** A version of a Lambda layer, as AWS described it. */
export interface LockedLayer {
  /** SHA-256 of its zip, in base64. */
  readonly sha256: string;
  /** Architectures and runtimes that it is for; empty: any. */
  readonly architectures: readonly string[];
  readonly runtimes: readonly string[];
}

/** The contents of the lock file. */
interface Lock {
  /** Includes images that files are copied from. */
  readonly bases: BaseLock;
  /** By ARN, with the version. */
  readonly layers: Readonly<Record<string, LockedLayer>>;
}

const EMPTY: Lock = { bases: {}, layers: {} };

/**
 * Reads a base lock; undefined if there is no such file.
 * @throws LOCK_REFUSED if it cannot be read or is damaged.
 */
export function readLock(path: string): Lock | undefined {
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

function parseLock(json: Json): Lock {
  const version = field(json, "lockfileVersion");
  if (version.value !== VERSION)
    throw new LambdaPackError("LOCK_REFUSED", `${version.path} is not ${VERSION}`);
  return {
    bases: recordOf(field(json, "bases"), platformsOf),
    layers: recordOf(field(json, "layers"), layerOf),
  };
}

function recordOf<T>(json: Json, read: (value: Json) => T): Readonly<Record<string, T>> {
  const names = Object.keys(optional(json, object) ?? {});
  return Object.fromEntries(names.map((name) => [name, read(field(json, name))]));
}

function layerOf(json: Json): LockedLayer {
  return {
    sha256: string(field(json, "sha256")),
    architectures: optional(field(json, "architectures"), strings) ?? [],
    runtimes: optional(field(json, "runtimes"), strings) ?? [],
  };
}

function platformsOf(json: Json): Readonly<Record<string, Digest>> {
  const pairs = Object.keys(object(json)).map((platform) => {
    const digest = field(json, platform);
    return [platform, parseDigest(string(digest), digest.path)] as const;
  });
  return Object.fromEntries(pairs);
}

/**
 * Returns the path of a file that exists while a build changes the base lock, so that builds do it
 * one after the other.
 */
export function guardPath(path: string): string {
  return `${path}.lock`;
}

/** Writes the digest of an image to the lock. @throws WRITE_FAILED, LOCK_REFUSED. */
export async function writeLock(path: string, name: string, platform: string, digest: Digest): Promise<void> {
  await changeLock(path, ({ bases, layers }) => ({
    bases: { ...bases, [name]: sorted({ ...bases[name], [platform]: digest }) },
    layers,
  }));
}

/** Writes a version of a Lambda layer to the lock. @throws WRITE_FAILED, LOCK_REFUSED. */
export async function writeLayer(path: string, arn: string, layer: LockedLayer): Promise<void> {
  await changeLock(path, ({ bases, layers }) => ({ bases, layers: { ...layers, [arn]: layer } }));
}

/**
 * Changes the lock and keeps its other entries, also those that another process writes at the same
 * time. A lock that stays the same is not written.
 */
async function changeLock(path: string, change: (lock: Lock) => Lock): Promise<void> {
  const changed = () => {
    const before = readLock(path);
    const text = textOf(change(before ?? EMPTY));
    return before && text === textOf(before) ? undefined : text;
  };
  if (changed() === undefined) return;
  await refuseSpecial(path);
  await withLock(guardPath(path), async () => {
    const text = changed();
    if (text !== undefined) await replaceFile(path, text);
  });
}

function textOf({ bases, layers }: Lock): string {
  const hasLayers = Object.keys(layers).length > 0;
  const lock = {
    lockfileVersion: VERSION,
    bases: sorted(bases),
    ...(hasLayers && { layers: sorted(layers) }),
  };
  return `${JSON.stringify(lock, undefined, 2)}\n`;
}

/** Refuses to replace a link: one in a source directory may lead to any file of this user. */
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

export function refused(message: string, hint: string, cause?: unknown): LambdaPackError {
  return new LambdaPackError("LOCK_REFUSED", message, { hint, cause });
}

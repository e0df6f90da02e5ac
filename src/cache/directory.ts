import { closeSync, existsSync, openSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix, win32 } from "node:path";
import { BLOB_STEM } from "../blobs/blobs.ts";
import { makeDirectories, writeFailed } from "../blobs/disk.ts";
import {
  DIRECTORY_MODE,
  FILE_MODE,
  FILE_STEM,
  partialName,
  replaceFile,
  sweepPartials,
} from "../blobs/partial.ts";
import { readConfigurationFile } from "../blobs/regular-file.ts";
import { LambdaPackError, messageOf } from "../errors.ts";
import type { OnEvent } from "../events.ts";
import { keepPrivate, keepSecret, stamp } from "./private-directory.ts";
import { RECORD_KINDS } from "./records.ts";

/** Stem of the file of each process that has the cache open: blobs used since are not pruned. */
export const SESSION_STEM = ".session";
const PRIVATE_STEM = "lambda-pack";
const WORK_STEM = ".work";

type CacheDirectory = ReturnType<typeof cacheDirectory>;

/** Opens the directory, or, with a warning, a private one if it cannot be written. */
export async function openDirectory(
  directory: string | undefined,
  onEvent?: OnEvent,
): Promise<CacheDirectory> {
  if (directory === undefined) return openPrivate();
  try {
    return await openShared(directory);
  } catch (error) {
    onEvent?.({
      type: "warning",
      message: `the cache ${directory} cannot be used, so nothing is kept: ${messageOf(error)}`,
      hint: "make it writable, or name another directory with --cache-dir or LAMBDA_PACK_CACHE_DIR",
    });
    return openPrivate();
  }
}

async function openShared(path: string): Promise<CacheDirectory> {
  refuseImages(path);
  keepPrivate(path, TAG_FILE);
  makeParts(path);
  const session = join(path, partialName(SESSION_STEM));
  closeSync(openSync(session, "wx", FILE_MODE.private));
  stamp(session);
  await sweepPartials(path, (stem) => [SESSION_STEM, BLOB_STEM, FILE_STEM, WORK_STEM].includes(stem));
  await writeTag(path);
  return cacheDirectory(path, true, session);
}

async function openPrivate(): Promise<CacheDirectory> {
  const parent = tmpdir();
  const path = join(parent, partialName(PRIVATE_STEM));
  try {
    await mkdir(path, { mode: DIRECTORY_MODE.private }); // other users can read the system's temporary directory
    makeParts(path);
    await sweepPartials(parent, (stem) => stem === PRIVATE_STEM);
  } catch (error) {
    throw writeFailed(path, error);
  }
  return cacheDirectory(path, false, path);
}

/**
 * @param isShared false: only this process uses it
 * @param own the file or directory that `close` removes, after the work directories
 */
function cacheDirectory(path: string, isShared: boolean, own: string) {
  const made = [own];
  return {
    path,
    isShared,
    async makeWorkDirectory(): Promise<string> {
      const work = join(path, partialName(WORK_STEM));
      makeDirectories(work, DIRECTORY_MODE.private);
      made.unshift(work);
      return work;
    },
    async close(): Promise<void> {
      for (const one of made) await rm(one, { recursive: true, force: true });
    },
  };
}

function makeParts(path: string): void {
  for (const name of ["blobs", join("blobs", "sha256"), ...RECORD_KINDS]) keepSecret(join(path, name));
}

/** Tells backup programs to skip the cache (Cache Directory Tagging Specification). */
const TAG_FILE = "CACHEDIR.TAG";
const TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# This is the cache of lambda-pack.\n";

async function writeTag(path: string): Promise<void> {
  const file = join(path, TAG_FILE);
  if (!existsSync(file)) await replaceFile(file, TAG, { access: "private" });
}

/** Refuses an OCI layout with images, whose blobs pruning would delete. */
function refuseImages(path: string): void {
  const index = readConfigurationFile(join(path, "index.json"), {
    maxBytes: 1024 ** 2,
    code: "LAYOUT_INVALID",
  });
  if (index === undefined || index.includes('"manifests":[]')) return;
  throw new LambdaPackError("LAYOUT_INVALID", `${path} is an OCI layout that holds images`);
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns LAMBDA_PACK_CACHE_DIR, else `lambda-pack` in XDG_CACHE_HOME, else in the system's
 * directory for caches (XDG Base Directory Specification; `~/Library/Caches`; `%LOCALAPPDATA%`).
 * `platform` is a value of `process.platform`.
 */
export function defaultCacheDirectory(environment: Environment, platform: string, home: string): string {
  const own = environment["LAMBDA_PACK_CACHE_DIR"];
  if (own) return own;
  const path = platform === "win32" ? win32 : posix;
  // The specification: "All paths set in these environment variables must be absolute", others are
  // ignored.
  const xdg = environment["XDG_CACHE_HOME"];
  if (xdg && path.isAbsolute(xdg)) return path.join(xdg, "lambda-pack");
  if (platform === "win32") {
    return win32.join(
      environment["LOCALAPPDATA"] || win32.join(home, "AppData", "Local"),
      "lambda-pack",
      "cache",
    );
  }
  return platform === "darwin"
    ? posix.join(home, "Library", "Caches", "lambda-pack")
    : posix.join(home, ".cache", "lambda-pack");
}

import { homedir } from "node:os";
import {
  type Cache,
  type CacheInfo,
  openCache,
  type PruneReport,
  type VerifyReport,
} from "../cache/cache.ts";
import { defaultCacheDirectory } from "../cache/directory.ts";
import { LambdaPackError } from "../errors.ts";
import { SESSION_OPTIONS, type SessionOptions } from "./options/common.ts";
import { type OptionsOf, readOptions, type Values, withDefault } from "./options/read.ts";
import { byteSize } from "./options/types.ts";

/** The options that select the cache. */
export type CacheOptions = Pick<SessionOptions, "cacheDir" | "environment">;

export type { CacheInfo, PruneReport, VerifyReport };

const { cacheDir, environment } = SESSION_OPTIONS;

const CACHE_OPTIONS = { cacheDir, environment };

export const PRUNE_CACHE_OPTIONS = {
  ...CACHE_OPTIONS,
  keep: withDefault(byteSize, 0, "keep this much of the most recently used data, e.g. 500MB", {
    placeholder: "SIZE",
    defaultText: "0",
  }),
};

export type PruneCacheOptions = OptionsOf<typeof PRUNE_CACHE_OPTIONS>;

/** Counts the content of the cache. @throws WRITE_FAILED if the cache cannot be used */
export async function cacheInfo(options: CacheOptions = {}): Promise<CacheInfo> {
  return withCache(readOptions("cache info", CACHE_OPTIONS, options), (cache) => cache.info());
}

/**
 * Removes the least recently used blobs until at most `keep` bytes are left, except those that a
 * running build has used.
 * @throws WRITE_FAILED
 */
export async function pruneCache(options: PruneCacheOptions = {}): Promise<PruneReport> {
  const { keep: maxBytes, ...where } = readOptions("cache prune", PRUNE_CACHE_OPTIONS, options);
  return withCache(where, (cache) => cache.prune(maxBytes));
}

/** Reads every byte of the cache and removes damaged blobs. @throws WRITE_FAILED */
export async function verifyCache(options: CacheOptions = {}): Promise<VerifyReport> {
  return withCache(readOptions("cache verify", CACHE_OPTIONS, options), (cache) => cache.verify());
}

async function withCache<T>(
  { environment = process.env, cacheDir }: Values<typeof CACHE_OPTIONS>,
  work: (cache: Cache) => Promise<T>,
): Promise<T> {
  const directory = cacheDir ?? defaultCacheDirectory(environment, process.platform, homedir());
  let reason = "";
  const cache = await openCache({
    directory,
    maxBytes: Number.POSITIVE_INFINITY,
    onEvent: (event) => {
      if (event.type === "warning") reason = event.message;
    },
  });
  try {
    if (cache.directory !== undefined) return await work(cache);
  } finally {
    await cache.close();
  }
  throw new LambdaPackError("WRITE_FAILED", reason || `the cache ${directory} cannot be used`, {
    hint: "name another directory with --cache-dir or LAMBDA_PACK_CACHE_DIR",
  });
}

import { homedir } from "node:os";
import {
  type Cache,
  type CacheInfo,
  openCache,
  type PruneReport,
  type VerifyReport,
} from "../cache/cache.ts";
import { defaultCacheDirectory } from "../cache/location.ts";
import { LambdaPackError } from "../errors.ts";
import type { CommonOptions } from "../session/options.ts";

/** Which cache. */
export type CacheOptions = Pick<CommonOptions, "cacheDirectory" | "environment">;

export interface PruneCacheOptions extends CacheOptions {
  /** Bytes that may stay. Default 0. */
  readonly maxBytes?: number;
}

export type { CacheInfo, PruneReport, VerifyReport };

/** What is in the cache. @throws WRITE_FAILED when it cannot be used. */
export function cacheInfo(options: CacheOptions = {}): Promise<CacheInfo> {
  return withCache(options, (cache) => cache.info());
}

/** Afterwards the cache has at most `maxBytes`: what was used longest ago goes first, and nothing that a running build has used. @throws WRITE_FAILED. */
export function pruneCache({ maxBytes = 0, ...options }: PruneCacheOptions = {}): Promise<PruneReport> {
  return withCache(options, (cache) => cache.prune(maxBytes));
}

/** Reads every byte of the cache, and removes what is damaged. @throws WRITE_FAILED. */
export function verifyCache(options: CacheOptions = {}): Promise<VerifyReport> {
  return withCache(options, (cache) => cache.verify());
}

async function withCache<T>(options: CacheOptions, work: (cache: Cache) => Promise<T>): Promise<T> {
  const { environment = process.env, cacheDirectory } = options;
  const directory = cacheDirectory ?? defaultCacheDirectory(environment, process.platform, homedir());
  let why = "";
  const cache = await openCache({
    directory,
    maxBytes: Number.POSITIVE_INFINITY,
    onEvent: (event) => {
      if (event.type === "warning") why = event.message;
    },
  });
  try {
    if (cache.directory !== undefined) return await work(cache);
  } finally {
    await cache.close();
  }
  throw new LambdaPackError("WRITE_FAILED", why || `the cache ${directory} cannot be used`, {
    hint: "name another folder with --cache-dir or LAMBDA_PACK_CACHE_DIR",
  });
}

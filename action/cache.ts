import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { defaultCacheDirectory } from "../src/cache/directory.ts";
import { failureOf } from "../src/cli/failure.ts";
import { misuse } from "../src/errors.ts";
import type { BuildEvent, Environment } from "../src/index.ts";
import { input, isOn } from "./inputs.ts";

/** The cache of lambda-pack as GitHub keeps it between the jobs of a repository. */
export interface StoredCache {
  /** Stores it under a key of the bases and the lock files, unless that is what was restored. */
  save(events: readonly BuildEvent[]): Promise<void>;
}

/** Files that decide which packages and which base are in the cache. */
const LOCK_FILE =
  /^(?:lambda-pack\.lock|.*-lock\.(?:json|yaml)|(?:yarn|uv|poetry|Pipfile|bun)\.lock|Gemfile\.lock|pylock\.toml|requirements\.txt)$/;

/** Returns the cache directory that the step uses. */
export function cacheDirectory(environment: Environment): string {
  const named = input("cache-dir", environment) || environment["LAMBDA_PACK_CACHE_DIR"];
  return resolve(named || defaultCacheDirectory(environment, process.platform, homedir()));
}

/**
 * Restores the newest cache with the same lock files, else the newest of all. undefined: the step
 * does not ask for it, or the runner has no cache service.
 * @param warn reports what went wrong: without a cache the build only takes longer
 * @throws USAGE beside `no-cache`
 */
export async function restoreCache(
  environment: Environment,
  warn: (message: string) => void,
): Promise<StoredCache | undefined> {
  if (!isOn("cache", environment)) return undefined;
  if (isOn("no-cache", environment))
    throw misuse("cache has no effect with no-cache", "leave out one of them");
  // Loaded only here, because it takes as long as the rest of the program.
  const service = await import("@actions/cache");
  if (!service.isFeatureAvailable()) {
    warn("cache has no effect: this runner has no cache service");
    return undefined;
  }
  const directory = cacheDirectory(environment);
  const prefix = `lambda-pack-1-${process.platform}-`;
  const ofLocks = `${prefix}${lockKey(environment)}-`;
  const tried = async <T>(what: string, work: Promise<T>): Promise<T | undefined> =>
    work.catch((error: unknown) => {
      warn(`the cache was not ${what}: ${failureOf(error).message}`);
      return undefined;
    });
  const restored = await tried("restored", service.restoreCache([directory], ofLocks, [prefix]));
  return {
    async save(events) {
      const key = `${ofLocks}${baseKey(events)}`;
      if (key === restored || !existsSync(directory)) return;
      await tried("saved", service.saveCache([directory], key));
    },
  };
}

/** Returns a key of the lock files in the source directories. */
function lockKey(environment: Environment): string {
  const named = input("directory", environment).split("\n");
  const files = named.flatMap((directory) => locksIn(resolve(directory.trim())));
  return shortHash(files.map((file) => readFileSync(file)));
}

function locksIn(directory: string): readonly string[] {
  if (!existsSync(directory)) return []; // the name of a function in lambda-pack.jsonc
  return readdirSync(directory)
    .filter((name) => LOCK_FILE.test(name))
    .sort()
    .map((name) => join(directory, name));
}

/** Returns a key of the base images that the build used. */
function baseKey(events: readonly BuildEvent[]): string {
  const digests = events.flatMap((event) => (event.type === "base-resolved" ? [event.digest] : []));
  return shortHash([...new Set(digests)].sort());
}

function shortHash(parts: readonly (string | Buffer)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 16);
}

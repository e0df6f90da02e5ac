import { join } from "node:path";
import type { Digest } from "../oci/digest.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { parseReference } from "../oci/reference.ts";
import type { PulledImage } from "../session/pull.ts";
import { type BaseLock, type LockedLayer, readLock, refused, writeLayer, writeLock } from "./lock-file.ts";

export const LOCK_FILE = "lambda-pack.lock";

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

/** Returns the path of the base lock: in the source directory, unless the user named one. */
export function lockPath(directory: string, lockFile: string | undefined): string {
  return lockFile ?? join(directory, LOCK_FILE);
}

/** What a build pulls as its base, and what it does afterwards. */
interface BasePin {
  /** undefined: what the tag names now. */
  readonly digest: Digest | undefined;
  /** Compares the image with the lock, or writes it there. @throws LOCK_REFUSED, WRITE_FAILED. */
  readonly verifyAndRecord: (pulled: PulledImage) => Promise<void>;
}

const NO_PIN: BasePin = { digest: undefined, verifyAndRecord: async () => undefined };

/**
 * Reads which digest the lock has for the base `name`. A name that has a digest needs no lock.
 * @throws LOCK_REFUSED if the lock cannot be read.
 */
export function pinBase(name: string, platform: Platform | undefined, { path, mode }: LockPlan): BasePin {
  if (parseReference(name).digest) return NO_PIN;
  const lock = readLock(path);
  const digest = lock && lockedDigest(lock.bases, name, platform && formatPlatform(platform));
  if (mode === "require")
    return { digest: undefined, verifyAndRecord: async (pulled) => compare(pulled, name, digest, path) };
  return {
    digest: mode === "update" ? undefined : digest,
    verifyAndRecord: async ({ image, digest: found }) => {
      if (mode !== "obey") await writeLock(path, name, formatPlatform(image.settings), found);
    },
  };
}

/** Returns the locked digest; without a platform, that for Lambda's default, or the only one. */
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

/** What a build does with a layer's version after AWS has described it. */
interface LayerPin {
  /** undefined: AWS is asked. */
  readonly locked: LockedLayer | undefined;
  /** Compares the version with the lock, or writes it there. @throws LOCK_REFUSED, WRITE_FAILED. */
  readonly verifyAndRecord: (found: LockedLayer) => Promise<void>;
}

/**
 * Reads the lock's entry for a version of a Lambda layer. A version never changes: a zip with
 * another SHA-256 than the lock's is refused in every mode but `update`.
 * @throws LOCK_REFUSED if the lock cannot be read.
 */
export function pinLayer(arn: string, { path, mode }: LockPlan): LayerPin {
  const locked = mode === "update" ? undefined : readLock(path)?.layers[arn];
  return {
    locked: mode === "require" ? undefined : locked,
    verifyAndRecord: async (found) => {
      if (mode === "require" && !locked)
        throw refused(
          `${path} does not name the Lambda layer ${arn}`,
          "build once with --lock, or without --locked",
        );
      if (locked && locked.sha256 !== found.sha256)
        throw refused(
          `the SHA-256 of ${arn} is ${found.sha256}, and ${path} has ${locked.sha256}`,
          "find out why the layer has changed; build with --update-base to take the new one",
        );
      if (mode === "write" || mode === "update") await writeLayer(path, arn, found);
    },
  };
}

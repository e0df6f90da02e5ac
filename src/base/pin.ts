import type { Digest } from "../oci/digest.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { parseReference } from "../oci/reference.ts";
import type { Pulled } from "../session/pull.ts";
import { type LockPlan, lockedDigest, readLock, refused, writeLock } from "./lock.ts";

/** How a floating base is held to what it was. */
export interface Pin {
  /** What to pull instead of what the tag names now; undefined: the tag. */
  readonly digest: Digest | undefined;
  /** Called with what was pulled. @throws LOCK_REFUSED, WRITE_FAILED. */
  readonly settle: (pulled: Pulled) => Promise<void>;
}

const FREE: Pin = { digest: undefined, settle: async () => undefined };

/**
 * Reads what the base lock says of the base `name`. A name with a digest needs no lock.
 * @throws LOCK_REFUSED where the lock cannot be read.
 */
export function pinOf(name: string, platform: Platform | undefined, { path, mode }: LockPlan): Pin {
  if (parseReference(name).digest) return FREE;
  const lock = readLock(path);
  const digest = lock && lockedDigest(lock, name, platform && formatPlatform(platform));
  if (mode === "require")
    return { digest: undefined, settle: async (pulled) => compare(pulled, name, digest, path) };
  return {
    digest: mode === "update" ? undefined : digest,
    settle: async ({ image, digest: found }) => {
      if (mode !== "obey") await writeLock(path, name, formatPlatform(image.settings), found);
    },
  };
}

function compare({ digest: found }: Pulled, name: string, locked: Digest | undefined, path: string): void {
  if (locked === found) return;
  const said = locked === undefined ? `${path} does not name it` : `${path} says ${locked}`;
  throw refused(
    `${name} is ${found} now, and ${said}`,
    "build without --locked, or move the lock with --update-base",
  );
}

import type { Digest } from "../oci/digest.ts";
import { formatPlatform, platformOf } from "../oci/platform.ts";
import { parseReference } from "../oci/reference.ts";
import type { BuildOptions } from "../session/options.ts";
import type { Pulled } from "../session/pull.ts";
import { lockedDigest, lockPath, readLock, refused, writeLock } from "./lock.ts";

/** How a floating base is held to what it was. */
export interface Pin {
  /** What to pull instead of what the tag names now; undefined: the tag. */
  readonly digest: Digest | undefined;
  /** Called with what was pulled. @throws LOCK_REFUSED, WRITE_FAILED. */
  readonly settle: (pulled: Pulled) => Promise<void>;
}

const FREE: Pin = { digest: undefined, settle: async () => undefined };

/**
 * What the base lock says of the base called `name`. A lock that is there is obeyed; `updateBase` moves it, `lock` also makes one, and `locked`
 * takes what the tag names now and refuses it where the lock says otherwise, or nothing.
 * @throws LOCK_REFUSED.
 */
export function pinOf(name: string, options: BuildOptions): Pin {
  if (parseReference(name).digest) return FREE;
  const path = lockPath(options);
  const lock = readLock(path);
  const platform = options.architecture && formatPlatform(platformOf(options.architecture));
  const digest = lock && lockedDigest(lock, name, platform);
  if (options.locked)
    return { digest: undefined, settle: async (pulled) => compare(pulled, name, digest, path) };
  const writes = options.lock === true || options.updateBase === true;
  return {
    digest: options.updateBase ? undefined : digest,
    settle: async ({ image, digest: found }) => {
      if (writes) await writeLock(path, name, formatPlatform(image.settings), found);
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

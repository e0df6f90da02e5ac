import type { Content, Descriptor } from "../oci/content.ts";
import type { Digest } from "../oci/digest.ts";
import type { RegistryClient } from "./client.ts";

/**
 * What earlier runs have sent to a registry. It may be out of date: a mount from there that fails
 * is an ordinary upload.
 */
export interface HolderMemory {
  /** Returns the repository of the registry that was last sent the blob. */
  find(registry: string, digest: Digest): Promise<string | undefined>;
  remember(registry: string, descriptor: Descriptor, repository: string): Promise<void>;
}

/**
 * Which repositories of a registry have a blob, over all uploads of one run: others mount it from
 * there.
 */
export interface BlobHolders {
  /** Records that the repository has the blob. */
  hold(place: Place, digest: Digest): void;
  /** Announces an upload into the repository. */
  announce(place: Place, content: Content): Announced;
}

export interface Announced {
  /**
   * Returns another repository that has the blob, after an upload that is under way there;
   * undefined where none is known, or the registry does not mount.
   */
  readonly source: () => Promise<string | undefined>;
  /** Tells how the upload ended. */
  readonly end: (hasSucceeded: boolean) => Promise<void>;
}

type Place = Pick<RegistryClient, "registry" | "repository" | "traits">;

interface Holder {
  readonly repository: string;
  /** true when the blob is there, false where it could not be sent. */
  readonly isThere: Promise<boolean>;
}

/** Bytes; a smaller blob is sent as fast as it is mounted. */
const WORTH_REMEMBERING = 64 * 1024;

export function createHolders(memory?: HolderMemory): BlobHolders {
  const holders = new Map<string, Holder>();
  return {
    hold({ registry, repository }, digest) {
      const key = `${registry} ${digest}`;
      if (!holders.has(key)) holders.set(key, { repository, isThere: Promise.resolve(true) });
    },
    announce({ registry, repository, traits }, { descriptor, origin }) {
      const key = `${registry} ${descriptor.digest}`;
      const isWorthIt = descriptor.size >= WORTH_REMEMBERING;
      const other = holders.get(key);
      const isFirst = !other || other.repository === repository;
      let tell = (_isThere: boolean) => {};
      const isThere = new Promise<boolean>((resolve) => {
        tell = resolve;
      });
      if (isFirst) holders.set(key, { repository, isThere });
      const known = async () => {
        if (!isFirst) return (await other.isThere) ? other.repository : undefined;
        return isWorthIt ? memory?.find(registry, descriptor.digest) : undefined;
      };
      return {
        async source() {
          if (!traits.mounts) return undefined;
          const from = origin?.registry === registry ? origin.repository : await known();
          return from === repository ? undefined : from;
        },
        async end(hasSucceeded) {
          tell(hasSucceeded);
          if (isFirst && !hasSucceeded) holders.delete(key);
          if (isFirst && hasSucceeded && isWorthIt) await memory?.remember(registry, descriptor, repository);
        },
      };
    },
  };
}

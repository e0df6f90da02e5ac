import type { Content, Descriptor } from "../oci/content.ts";
import type { Digest } from "../oci/digest.ts";
import type { RegistryClient } from "./client.ts";

/** Where earlier runs sent blobs. It may be out of date: if a mount fails, the blob is uploaded. */
export interface HolderMemory {
  /** Returns the repository to which the blob was last sent. */
  find(registry: string, digest: Digest): Promise<string | undefined>;
  remember(registry: string, descriptor: Descriptor, repository: string): Promise<void>;
}

/** Records which repositories of a registry have a blob in one run, so that others can mount it. */
export interface BlobHolders {
  /** Records that the repository has the blob. */
  hold(place: Place, digest: Digest): void;
  /** Announces an upload into the repository. */
  announce(place: Place, content: Content): Announced;
}

export interface Announced {
  /**
   * Returns another repository that has the blob, after waiting for a running upload into it;
   * undefined if none is known, or the registry does not mount.
   */
  readonly source: () => Promise<string | undefined>;
  /** Records how the upload ended. */
  readonly end: (hasSucceeded: boolean) => Promise<void>;
}

type Place = Pick<RegistryClient, "registry" | "repository" | "traits">;

interface Holder {
  readonly repository: string;
  /** true when the repository has the blob, false when the upload failed. */
  readonly isThere: Promise<boolean>;
}

/** In bytes; a smaller blob is sent as fast as it is mounted. */
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
      let settle = (_isThere: boolean) => {};
      const isThere = new Promise<boolean>((resolve) => {
        settle = resolve;
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
          settle(hasSucceeded);
          if (isFirst && !hasSucceeded) holders.delete(key);
          if (isFirst && hasSucceeded && isWorthIt) await memory?.remember(registry, descriptor, repository);
        },
      };
    },
  };
}

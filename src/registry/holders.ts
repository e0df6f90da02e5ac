import type { Content, Descriptor } from "../oci/content.ts";
import type { Digest } from "../oci/digest.ts";
import type { RegistryClient } from "./client.ts";

/** Where earlier runs sent blobs. It may be out of date: if a mount fails, the blob is uploaded. */
export interface HolderMemory {
  /** Returns the repository to which the blob was last sent. */
  find(registry: string, digest: Digest): Promise<string | undefined>;
  remember(registry: string, descriptor: Descriptor, repository: string): Promise<void>;
}

type Place = Pick<RegistryClient, "registry" | "repository" | "traits">;

interface Holder {
  readonly repository: string;
  /** true when the repository has the blob, false when the upload failed. */
  readonly isThere: Promise<boolean>;
}

/** In bytes; a smaller blob is sent as fast as it is mounted. */
const WORTH_REMEMBERING = 64 * 1024;

/** Records which repositories of a registry have a blob in one run, so that others can mount it. */
export class BlobHolders {
  readonly #memory: HolderMemory | undefined;
  readonly #holders = new Map<string, Holder>();

  constructor(memory?: HolderMemory) {
    this.#memory = memory;
  }

  /** Records that the repository has the blob. */
  hold({ registry, repository }: Place, digest: Digest): void {
    const key = `${registry} ${digest}`;
    if (!this.#holders.has(key)) this.#holders.set(key, { repository, isThere: Promise.resolve(true) });
  }

  /** Announces an upload into the repository. */
  announce({ registry, repository, traits }: Place, { descriptor, origin }: Content) {
    const key = `${registry} ${descriptor.digest}`;
    const memory = descriptor.size >= WORTH_REMEMBERING ? this.#memory : undefined;
    const other = this.#holders.get(key);
    const isFirst = !other || other.repository === repository;
    let settle = (_isThere: boolean) => {};
    const isThere = new Promise<boolean>((resolve) => {
      settle = resolve;
    });
    if (isFirst) this.#holders.set(key, { repository, isThere });
    const known = async () => {
      if (isFirst) return memory?.find(registry, descriptor.digest);
      return (await other.isThere) ? other.repository : undefined;
    };
    return {
      /**
       * Returns another repository that has the blob, after waiting for a running upload into it;
       * undefined if none is known, or the registry does not mount.
       */
      source: async (): Promise<string | undefined> => {
        if (!traits.mounts) return undefined;
        const from = origin?.registry === registry ? origin.repository : await known();
        return from === repository ? undefined : from;
      },
      /** Records how the upload ended. */
      end: async (hasSucceeded: boolean): Promise<void> => {
        settle(hasSucceeded);
        if (isFirst && !hasSucceeded) this.#holders.delete(key);
        if (isFirst && hasSucceeded) await memory?.remember(registry, descriptor, repository);
      },
    };
  }
}

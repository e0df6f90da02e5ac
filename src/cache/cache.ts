import type { OnEvent } from "../events.ts";
import type { Content, Descriptor } from "../oci/content.ts";
import type { Digest } from "../oci/digest.ts";
import type { Layer } from "../oci/image.ts";
import type { Spool } from "../oci/store.ts";
import { openDirectory } from "./directory.ts";
import { openEntries } from "./entries.ts";
import { type CacheInfo, infoOf, type PruneReport, prune, type VerifyReport, verify } from "./maintain.ts";
import { type NamedLayer, openRecords } from "./records.ts";

export type { CacheInfo, PruneReport, VerifyReport };

/** A layer that was packed before. */
export interface CachedLayer {
  readonly layer: Layer;
  /** Entries that are not directories. */
  readonly files: number;
  /** Bytes of the files, uncompressed. */
  readonly bytes: number;
}

export interface CacheOptions {
  /**
   * undefined: nothing is kept after `close`. The same holds for one that cannot be written, with a
   * `warning` event.
   */
  readonly directory: string | undefined;
  readonly onEvent?: OnEvent;
  /** The most bytes that `close` keeps if this process has added a blob. Default 10 GiB. */
  readonly maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 10 * 1024 ** 3;
/** Limits the records of blobs that the cache never had, which only a later pruning removes. */
const MAX_HOLDERS = 4096;
const PACKAGE_TYPE = "application/octet-stream";

export type Cache = Awaited<ReturnType<typeof openCache>>;

/**
 * Opens the cache: blobs on disk by digest, and records of earlier runs by key. Several processes
 * may use one cache. A content that it returns matches its digest, or throws before its first byte,
 * and lasts until `close`. Every method throws WRITE_FAILED naming the path if it cannot write; the
 * cache stays valid.
 */
export async function openCache({ directory, onEvent, maxBytes = DEFAULT_MAX_BYTES }: CacheOptions) {
  const opened = await openDirectory(directory, onEvent);
  const { path } = opened;
  const entries = openEntries(path, opened.isShared ? "synced" : "unsynced");
  // Not synced: a package can be downloaded again, and its digest shows if it is incomplete.
  const archives = openEntries(path, "unsynced");
  const layers = openRecords(path, "layers");
  const signatures = openRecords(path, "signatures");
  const references = openRecords(path, "references");
  const packages = openRecords(path, "packages");
  const installations = openRecords(path, "installations");
  const holders = openRecords(path, "holders");
  const findings = openRecords(path, "findings");
  return {
    /** undefined: a private directory that `close` removes. */
    directory: opened.isShared ? path : undefined,
    /** Stores new layers. */
    spool: { write: entries.write } satisfies Spool,
    find: entries.find,
    keep: entries.keep,
    /**
     * Returns a layer whose bytes are checked when they are first read, because a destination that
     * has them needs none. Reading throws CONTENT_MISMATCH before the first byte if they are damaged.
     */
    async findLayer(fingerprint: Digest): Promise<CachedLayer | undefined> {
      const record = await layers.find(fingerprint);
      if (!record) return undefined;
      const { descriptor, diffId, files, bytes } = record;
      const content = await entries.expect(descriptor.digest, descriptor.size);
      return content && { layer: { ...content, descriptor, diffId }, files, bytes };
    },
    /** Returns false if no fingerprint can be found. */
    hasLayers: async () => (await layers.count()) > 0,
    /** Records a layer. Its bytes must be in the cache: `spool` or `keep` put them there. */
    rememberLayer: (
      fingerprint: Digest,
      { descriptor, diffId }: Layer,
      { files, bytes }: Omit<CachedLayer, "layer">,
    ) => layers.set(fingerprint, { descriptor, diffId, files, bytes }),
    /** Returns the fingerprint that this state of files had last time. */
    findFingerprint: async (signature: Digest) => (await signatures.find(signature))?.fingerprint,
    /** Records the fingerprint of a layer, whose bytes may be elsewhere. */
    rememberFingerprint: (signature: Digest, fingerprint: Digest, { descriptor }: Layer) =>
      signatures.set(signature, { descriptor, fingerprint }),
    /** Returns what a reference named last time; for a pinned one only content with its digest. */
    async findManifest(reference: string): Promise<Content | undefined> {
      const record = await references.find(reference);
      const content = record && (await entries.find(record.descriptor.digest, record.descriptor.size));
      return content && { ...content, descriptor: record.descriptor };
    },
    async rememberManifest(reference: string, manifest: Content): Promise<void> {
      await entries.keep(manifest);
      await references.set(reference, { descriptor: manifest.descriptor });
    },
    /** Returns the archive of a package, by the integrity in the lock file. */
    async findPackage(integrity: string): Promise<Content | undefined> {
      const record = await packages.find(integrity);
      return record && archives.find(record.descriptor.digest, record.descriptor.size);
    },
    /** Stores the archive of a package. `bytes` throws at its end if the integrity differs. */
    async keepPackage(
      integrity: string,
      bytes: AsyncIterable<Uint8Array>,
      signal: AbortSignal,
    ): Promise<Content> {
      const content = await archives.write(PACKAGE_TYPE, bytes, signal);
      await packages.set(integrity, { descriptor: content.descriptor });
      return content;
    },
    findFindings: async (key: Digest) => (await findings.find(key))?.findings,
    /** Records findings. They are removed with the layer of `descriptor`. */
    rememberFindings: (key: Digest, descriptor: Descriptor, text: string) =>
      findings.set(key, { descriptor, findings: text }),
    /** Returns the layers of the installation with this key. */
    findInstallation: async (key: Digest) => (await installations.find(key))?.layers,
    /** Records the layers of an installation. Their bytes must be in the cache. */
    rememberInstallation: (key: Digest, named: readonly NamedLayer[], last: Descriptor) =>
      installations.set(key, { descriptor: last, layers: named }),
    /**
     * Returns the repository of a registry that this blob was last sent to. It is only a hint: the
     * registry may have removed the blob since.
     */
    findHolder: async (registry: string, digest: Digest) =>
      (await holders.find(`${registry} ${digest}`))?.repository,
    async rememberHolder(registry: string, descriptor: Descriptor, repository: string): Promise<void> {
      if ((await holders.count()) >= MAX_HOLDERS) return;
      await holders.set(`${registry} ${descriptor.digest}`, { descriptor, repository });
    },
    /** Creates a directory for temporary files, which `close` removes. @throws WRITE_FAILED. */
    makeWorkDirectory: opened.makeWorkDirectory,
    info: () => infoOf(path),
    /**
     * Removes the least recently used blobs until at most `most` bytes are left; never those that an
     * open process has used.
     */
    prune: (most: number) => prune(path, most),
    /** Reads every blob and record and removes damaged ones. */
    verify: () => verify(path),
    async close(): Promise<void> {
      if (opened.isShared && (entries.hasGrown() || archives.hasGrown())) await prune(path, maxBytes);
      await opened.close();
    },
  };
}

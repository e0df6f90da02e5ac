import type { OnEvent } from "../events.ts";
import type { Content, Descriptor } from "../oci/content.ts";
import type { Digest } from "../oci/digest.ts";
import type { Layer } from "../oci/image.ts";
import type { Spool, Watch } from "../oci/store.ts";
import { openDirectory } from "./directory.ts";
import { openEntries } from "./entries.ts";
import { type CacheInfo, infoOf, type PruneReport, prune, type VerifyReport, verify } from "./maintain.ts";
import {
  type NamedLayer,
  parseBlobRecord,
  parseFindingsRecord,
  parseHolderRecord,
  parseInstallationRecord,
  parseLayerRecord,
  parseSignatureRecord,
} from "./record-types.ts";
import { openRecords } from "./records.ts";

export type { CacheInfo, PruneReport, VerifyReport };

/** A layer that was packed before. */
export interface CachedLayer {
  readonly layer: Layer;
  /** Entries that are not directories. */
  readonly files: number;
  /** Bytes of the files, uncompressed. */
  readonly bytes: number;
}

/**
 * Blobs on disk by digest, and records of what a fingerprint or a reference meant last time.
 * Several processes may use one cache. A content that it returns matches its digest, or throws
 * before its first byte, and lasts until `close`.
 * @throws WRITE_FAILED naming the path if it cannot be written; the cache stays valid.
 */
export interface Cache {
  /** undefined: a private directory that `close` removes. */
  readonly directory: string | undefined;
  /** Stores new layers. */
  readonly spool: Spool;
  /**
   * Returns the content of this digest and size; undefined if it is missing, or was damaged and has
   * been removed.
   */
  find(digest: Digest, size: number): Promise<Content | undefined>;
  /**
   * Copies the bytes to a local file and verifies them. Concurrent calls for one digest read
   * `content` once.
   */
  keep(content: Content, watch?: Watch): Promise<Content>;
  /**
   * Returns a layer whose bytes are checked when they are first read, because a destination that has
   * them needs none. Reading throws CONTENT_MISMATCH before the first byte if they are damaged.
   */
  findLayer(fingerprint: Digest): Promise<CachedLayer | undefined>;
  /** Returns false if no fingerprint can be found. */
  hasLayers(): Promise<boolean>;
  /** Records a layer. Its bytes must be in the cache: `spool` or `keep` put them there. */
  rememberLayer(
    fingerprint: Digest,
    layer: Layer,
    facts: { readonly files: number; readonly bytes: number },
  ): Promise<void>;
  /** Returns the fingerprint that this state of files had last time. */
  findFingerprint(signature: Digest): Promise<Digest | undefined>;
  /** Records the fingerprint of `layer`, whose bytes may be elsewhere. */
  rememberFingerprint(signature: Digest, fingerprint: Digest, layer: Layer): Promise<void>;
  /**
   * Returns the manifest or index that a reference named last time; for a pinned reference only one
   * with its digest.
   */
  findManifest(reference: string): Promise<Content | undefined>;
  rememberManifest(reference: string, manifest: Content): Promise<void>;
  /** Returns the archive of a package, by the integrity in the lock file. */
  findPackage(integrity: string): Promise<Content | undefined>;
  /**
   * Stores the archive of a package. `bytes` throws at its end if it does not have this integrity.
   */
  keepPackage(integrity: string, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Content>;
  /** Returns the findings that were recorded for this key. */
  findFindings(key: Digest): Promise<string | undefined>;
  /** Records findings. They are removed with the layer of `descriptor`. */
  rememberFindings(key: Digest, descriptor: Descriptor, findings: string): Promise<void>;
  /** Returns the layers of the installation with this key. */
  findInstallation(key: Digest): Promise<readonly NamedLayer[] | undefined>;
  /** Records the layers of an installation. Their bytes must be in the cache. */
  rememberInstallation(key: Digest, layers: readonly NamedLayer[], last: Descriptor): Promise<void>;
  /**
   * Returns the repository of a registry that this blob was last sent to. It is only a hint: the
   * registry may have removed the blob since.
   */
  findHolder(registry: string, digest: Digest): Promise<string | undefined>;
  rememberHolder(registry: string, descriptor: Descriptor, repository: string): Promise<void>;
  /** Creates a directory for temporary files, which `close` removes. @throws WRITE_FAILED. */
  makeWorkDirectory(): Promise<string>;
  info(): Promise<CacheInfo>;
  /**
   * Removes the least recently used blobs until at most `maxBytes` are left; never those that an
   * open process has used.
   */
  prune(maxBytes: number): Promise<PruneReport>;
  /** Reads every blob and record and removes damaged ones. */
  verify(): Promise<VerifyReport>;
  close(): Promise<void>;
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

export async function openCache(options: CacheOptions): Promise<Cache> {
  const opened = await openDirectory(options.directory, options.onEvent);
  const entries = openEntries(opened.path, opened.isShared ? "synced" : "unsynced");
  // Not synced: a package can be downloaded again, and its digest shows if it is incomplete.
  const archives = openEntries(opened.path, "unsynced");
  const layers = openRecords(opened.path, "layers", parseLayerRecord);
  const signatures = openRecords(opened.path, "signatures", parseSignatureRecord);
  const references = openRecords(opened.path, "references", parseBlobRecord);
  const packages = openRecords(opened.path, "packages", parseBlobRecord);
  const installations = openRecords(opened.path, "installations", parseInstallationRecord);
  const holders = openRecords(opened.path, "holders", parseHolderRecord);
  const findings = openRecords(opened.path, "findings", parseFindingsRecord);
  return {
    directory: opened.isShared ? opened.path : undefined,
    spool: { write: entries.write },
    find: entries.find,
    keep: entries.keep,
    async findLayer(fingerprint) {
      const record = await layers.find(fingerprint);
      if (!record) return undefined;
      const { descriptor, diffId, files, bytes } = record;
      const content = await entries.expect(descriptor.digest, descriptor.size);
      return content && { layer: { ...content, descriptor, diffId }, files, bytes };
    },
    hasLayers: layers.hasAny,
    rememberLayer: (fingerprint, { descriptor, diffId }, { files, bytes }) =>
      layers.set(fingerprint, { descriptor, diffId, files, bytes }),
    findFingerprint: async (signature) => (await signatures.find(signature))?.fingerprint,
    rememberFingerprint: (signature, fingerprint, { descriptor: { mediaType, digest, size } }) =>
      signatures.set(signature, { descriptor: { mediaType, digest, size }, fingerprint }),
    async findManifest(reference) {
      const record = await references.find(reference);
      const content = record && (await entries.find(record.descriptor.digest, record.descriptor.size));
      return content && { ...content, descriptor: record.descriptor };
    },
    async rememberManifest(reference, manifest) {
      await entries.keep(manifest);
      await references.set(reference, { descriptor: manifest.descriptor });
    },
    async findPackage(integrity) {
      const record = await packages.find(integrity);
      return record && archives.find(record.descriptor.digest, record.descriptor.size);
    },
    async keepPackage(integrity, bytes, signal) {
      const content = await archives.write(PACKAGE_TYPE, bytes, signal);
      await packages.set(integrity, { descriptor: content.descriptor });
      return content;
    },
    findFindings: async (key) => (await findings.find(key))?.findings,
    rememberFindings: (key, { mediaType, digest, size }, text) =>
      findings.set(key, { descriptor: { mediaType, digest, size }, findings: text }),
    findInstallation: async (key) => (await installations.find(key))?.layers,
    rememberInstallation: (key, named, { mediaType, digest, size }) =>
      installations.set(key, { descriptor: { mediaType, digest, size }, layers: named }),
    findHolder: async (registry, digest) => (await holders.find(`${registry} ${digest}`))?.repository,
    async rememberHolder(registry, { mediaType, digest, size }, repository) {
      if ((await holders.count()) >= MOST_HOLDERS) return;
      await holders.set(`${registry} ${digest}`, { descriptor: { mediaType, digest, size }, repository });
    },
    makeWorkDirectory: opened.makeWorkDirectory,
    info: () => infoOf(opened.path),
    prune: (maxBytes) => prune(opened.path, maxBytes),
    verify: () => verify(opened.path),
    async close() {
      if (opened.isShared && (entries.hasGrown() || archives.hasGrown()))
        await prune(opened.path, options.maxBytes ?? DEFAULT_MAX_BYTES);
      await opened.close();
    },
  };
}

/** Limits the records of blobs that the cache never had, which only a later pruning removes. */
const MOST_HOLDERS = 4096;
const PACKAGE_TYPE = "application/octet-stream";

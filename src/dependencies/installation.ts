import { join } from "node:path";
import { mapConcurrent } from "../async/concurrency.ts";
import type { Cache } from "../cache/cache.ts";
import { LambdaPackError } from "../errors.ts";
import type { InstalledPackage, OnEvent } from "../events.ts";
import type { Content } from "../oci/content.ts";
import type { Digest } from "../oci/digest.ts";
import { redactUrl } from "../registry/errors/redact.ts";
import { createHttp } from "../registry/http/http.ts";
import type { Entry } from "../tar/entry.ts";
import { type Download, type DownloadContext, download } from "./download.ts";
import { EXTRACT_LIMITS, type Extracted, type ExtractLimits } from "./extract.ts";
import { checkIntegrity, type Integrity, integrityText } from "./integrity.ts";
import { UnpackedFiles } from "./unpacked.ts";

/** The parameters of an installation. */
export interface InstallContext {
  readonly cache: Cache;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly offline: boolean;
  readonly insecureRegistries: readonly string[];
  readonly onEvent: OnEvent;
  readonly onProgress: (progress: Progress) => void;
  /** A directory that exists until the session ends. */
  readonly workDirectory: string;
  readonly signal: AbortSignal;
}

/**
 * The files below the application's directory, sorted by path in byte order. Their contents exist
 * as long as the work directory.
 */
export interface InstalledFiles {
  readonly entries: readonly Entry[];
  readonly packages: readonly InstalledPackage[];
}

/** A planned installation for one target. Nothing is downloaded yet. */
export interface Installation {
  /** `npm-lock`, or the package manager that installs. */
  readonly way: string;
  readonly lockFile: string;
  /**
   * Identifies the files before the installation: the selected part of the lock, and the format of
   * the result. undefined if the lock does not determine the files.
   */
  readonly key: Digest | undefined;
  /**
   * Known before the installation if lambda-pack reads the lock; empty if a package manager does.
   */
  readonly packages: readonly InstalledPackage[];
  /** Paths below the application's directory with the result of an earlier installation. */
  readonly replaces: readonly string[];
  readonly warnings: readonly { readonly message: string; readonly hint: string }[];
  install(context: InstallContext): Promise<InstalledFiles>;
}

/** The progress of an installation. */
interface Progress {
  readonly packages: number;
  /** Bytes received over the network. */
  readonly received: number;
  readonly files: number;
  /** The size of the files. */
  readonly bytes: number;
}

/** The sources of package archives. */
interface PackageSource extends DownloadContext {
  readonly cache: Cache;
  /** true: uses only the cache. */
  readonly offline: boolean;
}

/** The sources of package archives, and the destination of their files. */
export interface ArchiveInstall extends PackageSource {
  readonly files: UnpackedFiles;
  /** Default: {@link EXTRACT_LIMITS}. */
  readonly limits?: ExtractLimits;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/** An archive to unpack. */
export interface Archive {
  /** The name for messages: `lodash@4.17.21`. */
  readonly name: string;
  readonly content: Content;
  readonly files: UnpackedFiles;
  readonly limits: ExtractLimits;
  readonly signal: AbortSignal;
}

interface ArchiveKind<T> {
  /** The number of packages that are fetched and unpacked at once. */
  readonly atOnce: number;
  readonly nameOf: (wanted: T) => string;
  readonly urlOf: (wanted: T) => URL;
  readonly authorizationFor: Download["authorizationFor"];
  readonly unpack: (wanted: T, archive: Archive) => Promise<Extracted>;
}

/** The sizes of an installed archive, in bytes. */
export interface InstalledArchive extends Extracted {
  readonly size: number;
  /** The number of bytes received over the network; 0 if the archive was in the cache. */
  readonly received: number;
}

/**
 * Fetches and unpacks packages, and reports the sum of their sizes after each.
 * @throws CONTENT_MISMATCH that names a package whose bytes differ from the lock or whose archive
 * is not valid; OFFLINE; what the download throws; WRITE_FAILED
 */
export async function installArchives<T extends { readonly integrity: Integrity }>(
  packages: readonly T[],
  install: ArchiveInstall,
  { atOnce, nameOf, urlOf, authorizationFor, unpack }: ArchiveKind<T>,
): Promise<readonly InstalledArchive[]> {
  const { files, limits = EXTRACT_LIMITS } = install;
  let sum: Progress = { packages: 0, received: 0, files: 0, bytes: 0 };
  return mapConcurrent(packages, { limit: atOnce, signal: install.signal }, async (wanted, signal) => {
    const { integrity } = wanted;
    const name = nameOf(wanted);
    const request = { name, url: urlOf(wanted), authorizationFor, integrity, signal };
    const { content, received } = await fetchArchive(request, install);
    const extracted = await unpack(wanted, { name, content, files, limits, signal });
    sum = {
      packages: sum.packages + 1,
      received: sum.received + received,
      files: sum.files + extracted.files,
      bytes: sum.bytes + extracted.bytes,
    };
    install.onProgress?.(sum);
    return { size: content.descriptor.size, received, ...extracted };
  });
}

/**
 * Opens what an installation needs while `work` runs. Returns the files, and `packages` with the
 * sizes of their archives.
 */
export async function collectInstalled(
  packages: readonly InstalledPackage[],
  context: InstallContext,
  httpOptions: Partial<Parameters<typeof createHttp>[0]>,
  work: (install: ArchiveInstall) => Promise<readonly InstalledArchive[]>,
): Promise<InstalledFiles> {
  const { environment, onEvent, insecureRegistries, workDirectory } = context;
  const http = createHttp({ environment, onEvent, insecureRegistries, ...httpOptions });
  const files = new UnpackedFiles(join(workDirectory, "installed"));
  try {
    const archives = await work({ ...context, http, files });
    const sized = packages.map((one, index) => ({ ...one, size: archives[index]?.size }));
    return { entries: files.finish(), packages: sized };
  } finally {
    files.close();
    http.close();
  }
}

/** The largest archives on npm and PyPI have some hundred MB. */
const ARCHIVE_LIMIT = 1024 ** 3;

/**
 * Returns an archive from the cache, else from its registry, checked against the integrity.
 * @throws CONTENT_MISMATCH, OFFLINE, and what {@link download} throws
 */
export async function fetchArchive(
  wanted: Omit<Download, "limit"> & { readonly integrity: Integrity },
  source: PackageSource,
): Promise<{ readonly content: Content; readonly received: number }> {
  const { name, url, integrity, signal } = wanted;
  const key = integrityText(integrity);
  const kept = await source.cache.findPackage(key);
  if (kept) return { content: kept, received: 0 };
  if (source.offline) {
    const message = `${name} is not in the cache and cannot be downloaded with --offline`;
    throw new LambdaPackError("OFFLINE", message, { hint: "build once without --offline" });
  }
  const content = await download({ ...wanted, limit: ARCHIVE_LIMIT }, source, (body) =>
    source.cache.keepPackage(key, checkIntegrity(body, integrity, { name, from: redactUrl(url) }), signal),
  );
  return { content, received: content.descriptor.size };
}

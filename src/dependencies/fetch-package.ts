import type { Cache } from "../cache/cache.ts";
import { LambdaPackError } from "../errors.ts";
import type { Content } from "../oci/content.ts";
import { redactUrl } from "../registry/errors/redact.ts";
import { type Download, type DownloadContext, download } from "./download.ts";
import { checkIntegrity, type Integrity, integrityText } from "./integrity.ts";

/** The sources of package archives. */
export interface PackageSource extends DownloadContext {
  readonly cache: Cache;
  /** true: uses only the cache. */
  readonly offline: boolean;
}

/** The largest archives on npm and PyPI have some hundred MB. */
const ARCHIVE_LIMIT = 1024 ** 3;

interface WantedArchive extends Omit<Download, "limit"> {
  readonly integrity: Integrity;
}

interface FetchedArchive {
  readonly content: Content;
  /** The bytes received; 0 if the archive was in the cache. */
  readonly received: number;
}

/**
 * Returns the archive of a package from the cache, else from its registry. A download is checked
 * against the integrity and kept.
 * @throws CONTENT_MISMATCH, OFFLINE, and what {@link download} throws
 */
export async function fetchArchive(wanted: WantedArchive, source: PackageSource): Promise<FetchedArchive> {
  const { name, url, integrity, signal } = wanted;
  const key = integrityText(integrity);
  const kept = await source.cache.findPackage(key);
  if (kept) return { content: kept, received: 0 };
  if (source.offline) {
    throw new LambdaPackError(
      "OFFLINE",
      `${name} is not in the cache and cannot be downloaded with --offline`,
      {
        hint: "build once without --offline",
      },
    );
  }
  const content = await download({ ...wanted, limit: ARCHIVE_LIMIT }, source, (body) =>
    source.cache.keepPackage(key, checkIntegrity(body, integrity, { name, from: redactUrl(url) }), signal),
  );
  return { content, received: content.descriptor.size };
}

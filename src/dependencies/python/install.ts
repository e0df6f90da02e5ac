import { type Archive, type ArchiveInstall, type InstalledArchive, installArchives } from "../archives.ts";
import type { Download } from "../download.ts";
import type { Extracted } from "../extract.ts";
import { withZip, type ZipEntry } from "../zip.ts";
import { isKeptFile } from "./kept-files.ts";
import type { PythonPackage } from "./plan.ts";

/** Fewer than for npm, because wheels are larger. */
const AT_ONCE = 8;

/**
 * Unpacks wheels like `pip install --target`, without the files that `isKeptFile` excludes.
 * @throws what {@link installArchives} throws
 */
export function installWheels(
  packages: readonly PythonPackage[],
  authorizationFor: Download["authorizationFor"],
  install: ArchiveInstall,
): Promise<readonly InstalledArchive[]> {
  return installArchives(packages, install, {
    atOnce: AT_ONCE,
    nameOf: ({ name, version }) => `${name} ${version}`,
    urlOf: ({ url }) => new URL(url),
    authorizationFor,
    unpack: (_, archive) => unpackWheel(archive),
  });
}

async function unpackWheel({ name, content, files, limits, signal }: Archive): Promise<Extracted> {
  if (content.file === undefined) throw new Error("the cache keeps archives in files");
  return withZip({ path: content.file, name, limits }, async (zip) => {
    const entries = zip.entries.filter(({ kind }) => kind !== "directory");
    let kept = 0;
    for (const entry of entries) {
      signal.throwIfAborted();
      const path = placeOf(entry);
      if (path === undefined) continue;
      kept += 1;
      const isExecutable = (entry.mode & 0o111) !== 0;
      await files.addFile({ path, isExecutable, size: entry.size, content: zip.read(entry) });
    }
    return { files: kept, bytes: entries.reduce((sum, { size }) => sum + size, 0) };
  });
}

/**
 * Files of `NAME-VERSION.data/SCHEME/path` go to the directory of their scheme (binary distribution
 * format, "The .data directory").
 */
const DATA = /^[^/]+\.data\/([^/]+)\/(.+)$/;
const TO_ROOT: ReadonlySet<string> = new Set(["purelib", "platlib", "data"]);

function placeOf({ path }: ZipEntry): string | undefined {
  const [, scheme, rest = ""] = DATA.exec(path) ?? [];
  if (scheme !== undefined && !TO_ROOT.has(scheme)) return undefined;
  const placed = scheme === undefined ? path : rest;
  return isKeptFile(placed) ? placed : undefined;
}

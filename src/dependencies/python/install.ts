import { mapConcurrent } from "../../async/concurrency.ts";
import { EXTRACT_LIMITS, type ExtractLimits } from "../extract.ts";
import { fetchArchive, type PackageSource } from "../fetch-package.ts";
import { createProgress, type InstalledArchive, type Progress } from "../installation.ts";
import type { UnpackedFiles } from "../unpacked.ts";
import { withZip, type ZipEntry } from "../zip.ts";
import { isKeptFile } from "./kept-files.ts";
import type { PythonPackage, PythonPlan } from "./plan.ts";

interface PythonInstall extends PackageSource {
  readonly plan: PythonPlan;
  /** Returns the Authorization header for a URL, or undefined. */
  readonly authorizationFor: (url: URL) => string | undefined;
  readonly files: UnpackedFiles;
  readonly limits?: ExtractLimits;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/** Fewer than for npm, because wheels are larger. */
const AT_ONCE = 8;

/**
 * Unpacks the wheels of a plan like `pip install --target`, without the files that `isKeptFile`
 * excludes.
 * @throws CONTENT_MISMATCH that names a package whose bytes differ from the lock or whose archive
 * is not valid; what the download throws; WRITE_FAILED
 */
export async function installWheels(install: PythonInstall): Promise<readonly InstalledArchive[]> {
  const progress = createProgress(install.onProgress);
  return mapConcurrent(install.plan.packages, { limit: AT_ONCE, ...install }, async (wanted, signal) => {
    const archive = await installWheel(wanted, { ...install, signal });
    progress.add(archive);
    return archive;
  });
}

async function installWheel(wanted: PythonPackage, install: PythonInstall): Promise<InstalledArchive> {
  const { files, limits = EXTRACT_LIMITS, authorizationFor, signal } = install;
  const name = `${wanted.name} ${wanted.version}`;
  const { integrity } = wanted;
  const url = new URL(wanted.url);
  const { content, received } = await fetchArchive(
    { name, url, authorizationFor, integrity, signal },
    install,
  );
  if (content.file === undefined) throw new Error("the cache keeps archives in files");
  const path = content.file;
  return withZip({ path, name, limits }, async (zip) => {
    const entries = zip.entries.filter(({ kind }) => kind !== "directory");
    let kept = 0;
    for (const entry of entries) {
      signal.throwIfAborted();
      const place = placeOf(entry);
      if (place === undefined) continue;
      kept += 1;
      const { size } = entry;
      const isExecutable = (entry.mode & 0o111) !== 0;
      await files.addFile({ path: place, isExecutable, size, content: zip.read(entry) });
    }
    const bytes = entries.reduce((sum, { size }) => sum + size, 0);
    return { size: content.descriptor.size, received, files: kept, bytes };
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

import { posix } from "node:path";
import { mapConcurrent } from "../../async/concurrency.ts";
import { type ExtractLimits, extractTarball, type PlacedFile } from "../extract.ts";
import { fetchArchive, type PackageSource } from "../fetch-package.ts";
import { createProgress, type InstalledArchive, type Progress } from "../installation.ts";
import type { UnpackedFiles } from "../unpacked.ts";
import type { NpmPackage, NpmPlan } from "./plan.ts";
import type { NpmRegistries } from "./registry.ts";

interface NpmInstall extends PackageSource {
  readonly plan: NpmPlan;
  readonly registries: NpmRegistries;
  readonly files: UnpackedFiles;
  readonly limits?: ExtractLimits;
  /** Receives the number of installed packages and the bytes received. */
  readonly onProgress?: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/** Each request takes a round trip: 16 at once keep two cores busy. */
const AT_ONCE = 16;

/**
 * Unpacks the packages of a plan like `npm ci --omit=dev --ignore-scripts`, without `.bin` and
 * `.package-lock.json`.
 * @throws CONTENT_MISMATCH that names a package whose bytes differ from the lock or whose archive
 * is not valid; what the download throws; WRITE_FAILED
 */
export async function installNpm(install: NpmInstall): Promise<readonly InstalledArchive[]> {
  const { plan, files: unpacked, onProgress } = install;
  const progress = createProgress(onProgress);
  for (const { path, target } of plan.links) unpacked.addLink(path, target);
  return mapConcurrent(plan.packages, { limit: AT_ONCE, signal: install.signal }, async (wanted, signal) => {
    const archive = await installPackage(wanted, { ...install, signal });
    progress.add(archive);
    return archive;
  });
}

async function installPackage(wanted: NpmPackage, install: NpmInstall): Promise<InstalledArchive> {
  const { registries, files: unpacked, limits, signal } = install;
  const name = `${wanted.name}@${wanted.version}`;
  const { content, received } = await fetchArchive(
    {
      name,
      url: registries.tarballOf(wanted),
      authorizationFor: registries.authorizationFor,
      integrity: wanted.integrity,
      signal,
    },
    install,
  );
  const extracted = await extractTarball(content, {
    name,
    files: unpacked,
    place: placeInPackage(wanted),
    ...(limits && { limits }),
    signal,
  });
  for (const file of wanted.bin) await repairCommand(unpacked, posix.join(wanted.path, file));
  return { size: content.descriptor.size, received, ...extracted };
}

/**
 * Returns the function that places files as npm does (`fetcher.js` in pacote): without the first
 * directory, readable for all, commands executable.
 */
function placeInPackage({
  path: own,
  bin,
  nested,
}: NpmPackage): (path: string, mode: number) => PlacedFile | undefined {
  const commands = new Set(bin);
  const seen = new Set<string>();
  return (whole, mode) => {
    const path = whole.slice(whole.indexOf("/") + 1);
    if (!whole.includes("/") || nested.some((directory) => path.startsWith(`${directory}/`)))
      return undefined;
    seen.add(path);
    const placed = path.replace(/(^|\/)\.gitignore$/, "$1.npmignore");
    // npm renames .gitignore to .npmignore unless the package has one.
    if (placed !== path && seen.has(placed)) return undefined;
    return { path: posix.join(own, placed), isExecutable: commands.has(path) || (mode & 0o100) !== 0 };
  };
}

const FIRST_BYTES = 2048;

/**
 * Removes the carriage return at the end of a command's first line, which would not start on Linux;
 * npm does the same (`fix-bin.js` in bin-links).
 */
async function repairCommand(files: UnpackedFiles, path: string): Promise<void> {
  const start = files.startOf(path, FIRST_BYTES)?.toString("utf8") ?? "";
  if (!/^#![^\n]+\r\n/.test(start)) return;
  const whole = files.startOf(path, files.sizeOf(path))?.toString("utf8") ?? "";
  const content = Buffer.from(whole.replace(/^(#![^\n]+)\r\n/, "$1\n"));
  await files.addFile({ path, isExecutable: true, size: content.length, content: [content] });
}

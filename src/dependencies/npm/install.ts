import { posix } from "node:path";
import { type Archive, type ArchiveInstall, type InstalledArchive, installArchives } from "../archives.ts";
import { extractTarball, type PlacedFile } from "../extract.ts";
import type { UnpackedFiles } from "../unpacked.ts";
import type { NpmPackage, NpmPlan } from "./plan.ts";
import type { NpmRegistries } from "./registry.ts";

/** Each request takes a round trip: 16 at once keep two cores busy. */
const AT_ONCE = 16;

/**
 * Unpacks the packages of a plan like `npm ci --omit=dev --ignore-scripts`, without `.bin` and
 * `.package-lock.json`.
 * @throws what {@link installArchives} throws
 */
export function installNpm(
  { packages, links }: NpmPlan,
  { tarballOf, authorizationFor }: NpmRegistries,
  install: ArchiveInstall,
): Promise<readonly InstalledArchive[]> {
  for (const { path, target } of links) install.files.addLink(path, target);
  return installArchives(packages, install, {
    atOnce: AT_ONCE,
    nameOf: ({ name, version }) => `${name}@${version}`,
    urlOf: tarballOf,
    authorizationFor,
    unpack: unpackPackage,
  });
}

async function unpackPackage(wanted: NpmPackage, archive: Archive) {
  const extracted = await extractTarball({ ...archive, place: placeInPackage(wanted) });
  for (const file of wanted.bin) await repairCommand(archive.files, posix.join(wanted.path, file));
  return extracted;
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

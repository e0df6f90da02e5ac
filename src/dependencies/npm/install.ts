import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { inLanes } from "../../async/map-concurrent.ts";
import { type ExtractLimits, extractTarball, type PlacedFile } from "../extract.ts";
import { fetchArchive, type PackageSource } from "../fetch-package.ts";
import type { NpmPackage, NpmPlan } from "./plan.ts";
import type { NpmRegistries } from "./registry.ts";

export interface NpmInstall extends PackageSource {
  readonly plan: NpmPlan;
  readonly registries: NpmRegistries;
  /** Is made; must be empty or missing. */
  readonly directory: string;
  readonly limits?: ExtractLimits;
  /** Packages installed so far, and bytes received for them. */
  readonly onProgress?: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

export interface Progress {
  readonly packages: number;
  readonly received: number;
  readonly files: number;
  /** Of the files. */
  readonly bytes: number;
}

/** A registry answers small requests, each of which takes a round trip: 16 at once keep two cores busy. */
const AT_ONCE = 16;

/**
 * Writes the packages of a plan below `directory`, as `npm ci --omit=dev --ignore-scripts` does but for `.bin` and `.package-lock.json`.
 * @throws CONTENT_MISMATCH naming a package whose bytes are not those of the lock or whose archive cannot be used; what the download throws; WRITE_FAILED.
 */
export async function installNpm(install: NpmInstall): Promise<Progress> {
  const { plan, directory, onProgress } = install;
  let progress: Progress = { packages: 0, received: 0, files: 0, bytes: 0 };
  mkdirSync(directory, { recursive: true });
  await inLanes(plan.packages, AT_ONCE, async (wanted) => {
    const { received, files, bytes } = await installPackage(wanted, install);
    progress = {
      packages: progress.packages + 1,
      received: progress.received + received,
      files: progress.files + files,
      bytes: progress.bytes + bytes,
    };
    onProgress?.(progress);
  });
  for (const { path, target } of plan.links) {
    const link = join(directory, path);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(target, link);
  }
  return progress;
}

async function installPackage(wanted: NpmPackage, install: NpmInstall): Promise<Omit<Progress, "packages">> {
  const { registries, directory, limits, signal } = install;
  signal.throwIfAborted();
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
  const own = join(directory, wanted.path);
  const extracted = await extractTarball(content.read(0, signal), {
    name,
    directory: own,
    place: placeInPackage(wanted),
    ...(limits && { limits }),
    signal,
  });
  for (const file of wanted.bin) repairCommand(join(own, file));
  return { received, ...extracted };
}

/** As npm unpacks (pacote, `fetcher.js`): without the first directory, readable for all, commands executable. */
function placeInPackage({ bin, nested }: NpmPackage): (path: string, mode: number) => PlacedFile | undefined {
  const commands = new Set(bin);
  const seen = new Set<string>();
  return (whole, mode) => {
    const path = whole.slice(whole.indexOf("/") + 1);
    if (!whole.includes("/") || nested.some((directory) => path.startsWith(`${directory}/`)))
      return undefined;
    seen.add(path);
    const placed = path.replace(/(^|\/)\.gitignore$/, "$1.npmignore");
    // npm takes a .gitignore for a .npmignore where the package has none.
    if (placed !== path && seen.has(placed)) return undefined;
    return { path: placed, mode: commands.has(path) ? 0o755 : (mode | 0o666) & ~0o022 & 0o777 };
  };
}

const FIRST_BYTES = 2048;

/** A command whose first line ends as on Windows does not start on Linux: npm rewrites that line (bin-links, `fix-bin.js`). */
function repairCommand(path: string): void {
  const isCommand = statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  if (!isCommand || !/^#![^\n]+\r\n/.test(startOf(path))) return;
  writeFileSync(path, readFileSync(path, "utf8").replace(/^(#![^\n]+)\r\n/, "$1\n"));
}

function startOf(path: string): string {
  const descriptor = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(FIRST_BYTES);
    return buffer.toString("utf8", 0, readSync(descriptor, buffer, 0, FIRST_BYTES, 0));
  } finally {
    closeSync(descriptor);
  }
}

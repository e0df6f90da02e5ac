import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "../../oci/digest.ts";
import { field, object, optional } from "../../oci/json.ts";
import type { LockFile, Selection } from "../detect.ts";
import type { Download } from "../download.ts";
import type { Extracted } from "../extract.ts";
import {
  type Archive,
  type ArchiveInstall,
  collectInstalled,
  type Installation,
  type InstalledArchive,
  installArchives,
} from "../installation.ts";
import { integrityText } from "../integrity.ts";
import { parseToml, readFile } from "../lock-file.ts";
import type { PythonTarget } from "../target.ts";
import { withZip, type ZipEntry } from "../zip.ts";
import { pythonCredentials } from "./package-index.ts";
import { planPylock } from "./pylock.ts";
import { parseUvLock, planUvLock } from "./uv-lock.ts";
import type { PythonPackage, PythonPlan } from "./wheels.ts";

/** Records of installers, which differ between machines and installations. */
const INFO_FILES: ReadonlySet<string> = new Set([
  "RECORD",
  "RECORD.jws",
  "RECORD.p7s",
  "INSTALLER",
  "REQUESTED",
  "direct_url.json",
]);

/**
 * Returns whether a file of an installed package belongs in the image. Commands in `bin` contain
 * the path of the installing machine's Python, RECORD contains their hashes, and bytecode contains
 * times, so the image would differ between machines.
 */
export function isKeptFile(path: string): boolean {
  const parts = path.split("/");
  if (parts[0] === "bin" || parts.includes("__pycache__")) return false;
  const [directory = "", file = ""] = parts.slice(-2);
  return !(directory.endsWith(".dist-info") && INFO_FILES.has(file));
}

/**
 * Lists the virtual environments in a directory (PEP 405), which an earlier installation for this
 * machine created.
 */
export function virtualEnvironments(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(directory, entry.name, "pyvenv.cfg")))
    .map(({ name }) => name)
    .sort();
}

/** Must be raised with every change of the files that the same lock produces. */
const FORMAT = 1;
const CONNECTIONS = 8;

/**
 * Plans the installation of a uv.lock or pylock.toml for the target.
 * @throws LOCK_INVALID, DEPENDENCY_UNAVAILABLE
 */
export function planPythonLock(
  { directory, file, member, way }: LockFile,
  target: PythonTarget,
  selection: Selection,
): PythonPlan {
  const text = readFile(join(directory, file)).toString();
  if (way === "pylock") return planPylock(text, file, target, selection);
  const groups = [...defaultGroups(join(directory, member, "pyproject.toml")), ...selection.groups];
  const lock = parseUvLock(text, file);
  return planUvLock(lock, member === "" ? "." : member, target, { ...selection, groups });
}

/** Returns the groups that `uv sync --no-dev` installs: `tool.uv.default-groups` without `dev`. */
function defaultGroups(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  const project = parseToml(readFile(path).toString(), path);
  const uv = optional(field(project, "tool"), (tool) => optional(field(tool, "uv"), object));
  const all = () => Object.keys(optional(field(project, "dependency-groups"), object) ?? {});
  const named = uv?.["default-groups"];
  const groups = named === "all" ? all() : named;
  return Array.isArray(groups) ? groups.map(String).filter((name) => name !== "dev") : [];
}

/** Returns the installation of a plan's wheels. */
export function wheelInstallation(
  { way, file, directory, member }: LockFile,
  plan: PythonPlan,
  target: PythonTarget,
): Installation {
  const packages = plan.packages.map(({ name, version, integrity, size }) => ({
    name,
    version,
    integrity: integrityText(integrity),
    size,
  }));
  const wanted = packages.map(({ size: _, ...one }) => one);
  return {
    way,
    lockFile: file,
    key: digestOf(JSON.stringify(["wheels", FORMAT, target, wanted])),
    packages,
    replaces: virtualEnvironments(join(directory, member)),
    warnings: [],
    async install(context) {
      const authorizationFor = pythonCredentials(context.environment);
      return collectInstalled(packages, context, { connections: CONNECTIONS }, (install) =>
        installWheels(plan.packages, authorizationFor, install),
      );
    },
  };
}

/** Fewer than for npm, because wheels are larger. */
const AT_ONCE = 8;

/**
 * Unpacks wheels like `pip install --target`, without the files that `isKeptFile` excludes.
 * @throws what {@link installArchives} throws
 */
function installWheels(
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
      await files.addFile({ path, isExecutable, size: entry.size }, zip.read(entry));
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

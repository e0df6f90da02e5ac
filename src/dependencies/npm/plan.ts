import { posix } from "node:path";
import type { LambdaPackError } from "../../errors.ts";
import { type Integrity, parseIntegrity } from "../integrity.ts";
import { lockInvalid, unavailable } from "../lock-file.ts";
import { type TargetPlatform, targetName } from "../target.ts";
import { type LockedPackage, type NpmLock, nameIn } from "./lock.ts";
import { edgesOf, fits, nameOf, targetOf, wantedEntries } from "./walk.ts";

/** A package of the lock with its path in the image. */
export interface NpmPackage {
  /** Relative to the directory of the application: `node_modules/a`. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  /** The URL of the tarball in the lock; undefined: at the registry for the name. */
  readonly resolved: string | undefined;
  readonly integrity: Integrity;
  /** Files that are commands, in the package and in those bundled in its archive. */
  readonly bin: readonly string[];
  /** Directories below `path` of other packages in the plan. */
  readonly nested: readonly string[];
}

interface NpmLink {
  readonly path: string;
  /** Relative to the directory of the link. */
  readonly target: string;
}

/** The plan for installing a lock for one target. */
export interface NpmPlan {
  readonly packages: readonly NpmPackage[];
  readonly links: readonly NpmLink[];
  /** The directories that the plan fills: `node_modules`, and those of workspaces. */
  readonly directories: readonly string[];
  /** The reasons why npm has to install instead; empty if there is none. */
  readonly needsNpm: readonly string[];
  /**
   * Packages with an install script, which is not run, and without a prebuilt dependency for the
   * target.
   */
  readonly withScripts: readonly string[];
}

/**
 * Plans the packages that the project or workspace `member` needs on the target. `member` is a path
 * in the lock; it is empty for the project.
 * @throws LOCK_INVALID, DEPENDENCY_UNAVAILABLE
 */
export function planNpm(lock: NpmLock, member: string, target: TargetPlatform): NpmPlan {
  const start = lock.packages.get(member);
  if (!start && member !== "")
    throw lockInvalid(
      `${member} has no lock file, and ${lock.file} above it has no workspace ${member}`,
      `run npm install --package-lock-only in ${member}, or add it to the workspaces and run npm install`,
    );
  if (!start)
    throw lockInvalid(`${lock.file} has no entry for the project`, "bring the lock up to date: npm install");
  const entries = wantedEntries(lock, start, target);
  for (const entry of entries) checkBuilds(lock, entry, target);
  const place = placer(member);
  const own = entries.filter((entry) => isInstalled(entry) && !comesInBundle(lock, entry));
  const needsNpm = own.flatMap(reasonForNpm);
  const plan = {
    packages: own.flatMap((entry) => packageOf(entry, place, partsOf(lock, entry, entries))),
    links: entries.filter(({ link }) => link).map((entry) => linkOf(lock, entry, place)),
  };
  checkPlaces([...plan.packages, ...plan.links]);
  return {
    ...plan,
    directories: directoriesOf(
      [member, ...entries.filter((entry) => !isInPlace(entry)).map(({ path }) => path)],
      place,
    ),
    needsNpm,
    withScripts: own.filter((entry) => entry.hasInstallScript && !hasBuild(lock, entry, target)).map(nameOf),
  };
}

/**
 * Returns whether the entry is in a `node_modules` directory. Others are directories of the
 * project.
 */
function isInPlace({ path }: LockedPackage): boolean {
  return nameIn(path) !== path;
}

function isInstalled(entry: LockedPackage): boolean {
  return isInPlace(entry) && !entry.link;
}

/**
 * Returns whether a package is in the tarball of a parent package. Packages that the project itself
 * bundles are downloaded like all others.
 */
function comesInBundle({ packages }: NpmLock, { path, inBundle }: LockedPackage): boolean {
  if (!inBundle) return false;
  for (let at = path.lastIndexOf("/node_modules/"); at > 0; at = path.lastIndexOf("/node_modules/", at - 1))
    if (packages.get(path.slice(0, at))?.bundles) return true;
  return false;
}

function reasonForNpm(entry: LockedPackage): readonly string[] {
  const { resolved, version, integrity } = entry;
  const name = nameOf(entry);
  if (resolved !== undefined && !/^https?:\/\//.test(resolved))
    return [`${name} comes from ${resolved.replace(/[:+].*$/s, "")}, not from a registry`];
  if (version === undefined) return [`${name} has no version in the lock`];
  if (integrity === undefined || !parseIntegrity(integrity)) return [`${name} has no integrity in the lock`];
  return [];
}

type Place = (path: string) => string | undefined;

interface Parts {
  readonly bin: readonly string[];
  readonly nested: readonly string[];
}

/** Returns what is below an entry's directory: commands of the same archive, and other packages. */
function partsOf(lock: NpmLock, entry: LockedPackage, entries: readonly LockedPackage[]): Parts {
  const within = entries.filter(({ path }) => path.startsWith(`${entry.path}/`));
  const [bundled, others] = [
    within.filter((one) => comesInBundle(lock, one)),
    within.filter((one) => !comesInBundle(lock, one)),
  ];
  const inside = (path: string) => path.slice(entry.path.length + 1);
  return {
    bin: [...entry.bin, ...bundled.flatMap(({ path, bin }) => bin.map((file) => `${inside(path)}/${file}`))],
    nested: others.map(({ path }) => inside(path)),
  };
}

function packageOf(entry: LockedPackage, place: Place, parts: Parts): readonly NpmPackage[] {
  const { name, version, resolved } = entry;
  const integrity = parseIntegrity(entry.integrity ?? "");
  const path = place(entry.path);
  if (path === undefined) throw outside(entry);
  return version !== undefined && integrity ? [{ path, name, version, resolved, integrity, ...parts }] : [];
}

function linkOf(lock: NpmLock, entry: LockedPackage, place: Place): NpmLink {
  const path = place(entry.path);
  const target = place(targetOf(lock, entry)?.path ?? "..");
  if (path === undefined || target === undefined) throw outside(entry);
  return { path, target: posix.relative(posix.dirname(path), target) };
}

/**
 * Returns the function that maps a path of the lock to the image: paths of the member move to the
 * root, next to the shared packages.
 */
function placer(member: string): Place {
  return (path) => {
    if (path === ".." || path.startsWith("../")) return undefined;
    if (member === "" || path.startsWith("node_modules/")) return path;
    if (path === member) return "";
    return path.startsWith(`${member}/`) ? path.slice(member.length + 1) : undefined;
  };
}

function outside({ name }: LockedPackage): LambdaPackError {
  return unavailable(
    `${name} is a local directory outside the application's directory, and nothing outside it is packed`,
    "build the directory that has both, with --handler <workspace>/<file>.<function>, or bundle the code",
  );
}

/**
 * Refuses two versions of a package at the same path: the workspace's and the project's, which are
 * in separate directories on disk.
 */
function checkPlaces(items: readonly { readonly path: string }[]): void {
  const seen = new Set<string>();
  for (const { path } of items) {
    if (seen.has(path)) {
      throw unavailable(
        `the workspace and the project need different versions of ${nameIn(path)}, which cannot both be at ${path}`,
        "build the project's directory, with --handler <workspace>/<file>.<function>",
      );
    }
    seen.add(path);
  }
}

function directoriesOf(paths: readonly string[], place: Place): readonly string[] {
  const directories = paths.flatMap((path) => {
    const placed = place(path);
    return placed === undefined ? [] : posix.join(placed, "node_modules");
  });
  return [...new Set(directories)].sort();
}

/**
 * Refuses a lock without the package's build for the target. Such builds are optional dependencies,
 * and a lock may lack some (npm/cli#4828).
 */
function checkBuilds(lock: NpmLock, entry: LockedPackage, target: TargetPlatform): void {
  if (entry.link || hasBuild(lock, entry, target)) return;
  const missing = edgesOf(lock, entry).find(
    ({ name, to, kind }) => kind === "optional" && !to && namesTarget(name, target),
  );
  if (!missing) return;
  throw unavailable(
    `${lock.file} lacks ${missing.name}, the build of ${nameOf(entry)} for ${targetName(target)}: the lock was written where only another platform's was installed`,
    "write the lock again for all platforms: rm -rf node_modules package-lock.json && npm install",
  );
}

function hasBuild(lock: NpmLock, entry: LockedPackage, target: TargetPlatform): boolean {
  return edgesOf(lock, entry).some(
    ({ to, kind }) => kind === "optional" && to !== undefined && to.cpu.length > 0 && fits(to, target),
  );
}

/**
 * Returns whether a name contains the target: `@img/sharp-linux-arm64` is for glibc,
 * `@img/sharp-linuxmusl-arm64` and `@rollup/rollup-linux-arm64-musl` are for musl.
 */
function namesTarget(name: string, { os, cpu, libc }: TargetPlatform): boolean {
  const words = name.toLowerCase().split(/[^a-z0-9]+/);
  const isMusl = name.includes("musl");
  return (
    words.some((word) => word === os || word === `${os}musl`) &&
    words.includes(cpu) &&
    isMusl === (libc === "musl")
  );
}

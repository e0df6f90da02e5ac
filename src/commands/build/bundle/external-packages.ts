import { cpSync, existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join, sep } from "node:path";

/** An installed package. */
export interface InstalledDirectory {
  readonly name: string;
  /** The real path, with `/` as separator. */
  readonly directory: string;
}

/** Returns the package of an installed file; undefined for a file of the application. */
export function packageOf(file: string): InstalledDirectory | undefined {
  const path = file.split(sep).join("/");
  const [, directory, name] = /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//s.exec(path) ?? [];
  return directory === undefined || name === undefined ? undefined : { name, directory };
}

/** Returns the version of an installed package; empty if package.json has none. */
export function versionOf({ directory }: InstalledDirectory): string {
  const { version } = manifestOf(directory);
  return typeof version === "string" ? version : "";
}

/**
 * Returns whether the package cannot be bundled: it, or one of its optional packages for a
 * platform, has `.node` files or an install script.
 */
export function isNative({ directory }: InstalledDirectory): boolean {
  const manifest = manifestOf(directory);
  if (hasNativeCode(directory, manifest)) return true;
  return namesIn(manifest, "optionalDependencies").some((name) => {
    const build = findPackage(name, directory);
    return build !== undefined && hasNativeCode(build.directory, manifestOf(build.directory));
  });
}

const INSTALL_SCRIPTS = ["preinstall", "install", "postinstall"];

/**
 * Returns whether the package has native code. npm also runs node-gyp for a `binding.gyp` without a
 * script, and sets `hasInstallScript` in its lock for both.
 */
function hasNativeCode(directory: string, manifest: Manifest): boolean {
  if (namesIn(manifest, "scripts").some((script) => INSTALL_SCRIPTS.includes(script))) return true;
  return existsSync(join(directory, "binding.gyp")) || hasNodeFile(directory);
}

function hasNodeFile(directory: string): boolean {
  return readdirSync(directory, { withFileTypes: true }).some((item) => {
    if (item.isDirectory()) return item.name !== "node_modules" && hasNodeFile(join(directory, item.name));
    return item.name.endsWith(".node");
  });
}

interface Placed {
  readonly from: InstalledDirectory;
  /** Absolute. */
  readonly to: string;
}

/**
 * Copies packages and their dependencies to `node_modules` of a directory. A package goes to the
 * top level, unless another version is there; then it goes into the package that needs it.
 */
export function copyPackages(packages: readonly InstalledDirectory[], out: string): void {
  const places = new Map<string, InstalledDirectory>();
  const place = (one: InstalledDirectory, parent: string): Placed => {
    const to = join(parent, "node_modules", one.name);
    places.set(to, one);
    cpSync(one.directory, to, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => isOwn(path, one),
    });
    return { from: one, to };
  };
  const pending = packages.map((one) => place(one, out));
  for (let next = pending.shift(); next; next = pending.shift())
    for (const needed of neededBy(next.from)) {
      const seen = visibleFrom(next.to, needed.name, { out, places });
      if (seen?.directory === needed.directory) continue;
      pending.push(place(needed, seen ? next.to : out));
    }
}

/** Returns the package that `require(name)` finds among the copied ones. */
function visibleFrom(
  from: string,
  name: string,
  { out, places }: { readonly out: string; readonly places: ReadonlyMap<string, InstalledDirectory> },
): InstalledDirectory | undefined {
  for (let at = from; ; at = dirname(at)) {
    const found = places.get(join(at, "node_modules", name));
    if (found || at === out) return found;
  }
}

/** Excludes nested packages, which are copied separately. */
function isOwn(path: string, { directory }: InstalledDirectory): boolean {
  return basename(path) !== "node_modules" || path === directory;
}

function neededBy({ directory }: InstalledDirectory): readonly InstalledDirectory[] {
  const manifest = manifestOf(directory);
  const kinds = ["dependencies", "optionalDependencies", "peerDependencies"] as const;
  const names = new Set(kinds.flatMap((kind) => namesIn(manifest, kind)));
  return [...names].sort().flatMap((name) => findPackage(name, directory) ?? []);
}

function findPackage(name: string, from: string): InstalledDirectory | undefined {
  for (let at = from; ; at = dirname(at)) {
    const directory = join(at, "node_modules", name);
    if (existsSync(join(directory, "package.json")))
      return { name, directory: realpathSync(directory).split(sep).join("/") };
    if (at === dirname(at)) return undefined;
  }
}

type Manifest = Readonly<Record<string, unknown>>;

/** Reads package.json; empty if it is missing or invalid, which esbuild reports if it matters. */
export function manifestOf(directory: string): Manifest {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
    return isRecord(manifest) ? manifest : {};
  } catch {
    return {};
  }
}

function namesIn(manifest: Manifest, field: string): readonly string[] {
  const value = manifest[field];
  return isRecord(value) ? Object.keys(value) : [];
}

function isRecord(value: unknown): value is Manifest {
  return typeof value === "object" && value !== null;
}

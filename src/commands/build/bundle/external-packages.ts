import { cpSync, existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join, sep } from "node:path";

/** An installed package. */
export interface InstalledDirectory {
  readonly name: string;
  /** Its real path, with `/` between its parts. */
  readonly directory: string;
}

/** The package that an installed file belongs to; undefined for a file of the application. */
export function packageOf(file: string): InstalledDirectory | undefined {
  const path = file.split(sep).join("/");
  const [, directory, name] = /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//s.exec(path) ?? [];
  return directory === undefined || name === undefined ? undefined : { name, directory };
}

/** The version that an installed package has; the empty string where it names none. */
export function versionOf({ directory }: InstalledDirectory): string {
  const { version } = manifestOf(directory);
  return typeof version === "string" ? version : "";
}

/**
 * Whether a bundle cannot hold the package: it has `.node` files or an install script, or one of
 * the packages that bring its build for each platform has.
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
 * npm runs node-gyp for a `binding.gyp` without a script; both are `hasInstallScript` in its lock.
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
 * Copies packages and all that they need into `node_modules` of a directory. A name is at the top
 * unless another version of it is there already: then it is inside the package that needs it.
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

/** What `require(name)` finds of the packages that were copied already. */
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

/** Other packages inside a package are placed by themselves. */
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

/**
 * Empty for a package.json that is missing or cannot be read: esbuild reports it where it counts.
 */
function manifestOf(directory: string): Manifest {
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

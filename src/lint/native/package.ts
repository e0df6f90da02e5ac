import { posix } from "node:path";
import { beforePlatform, withoutPlatform } from "./platform-words.ts";
import type { PythonPackages } from "./python-packages.ts";

export type Manager = "npm" | "pip" | "gem" | "dotnet" | "prisma" | "own";

/** The package that a native file belongs to. */
export interface NativePackage {
  readonly manager: Manager;
  /** Files with the same key are reported together. */
  readonly key: string;
  /** Files that are variants of one another, one for each platform, have the same slot. */
  readonly slot: string;
  /** The name to install it by: `sharp`, `pillow`. Absent for the app's own files. */
  readonly name?: string;
  /** npm: whether the package has files for one platform only, as `@img/sharp-linux-x64`. */
  readonly isPlatformPackage?: boolean;
  /** pip: the directory of installation, with a trailing slash, and the version if known. */
  readonly site?: string;
  readonly version?: string;
}

/** Returns the package of the file at `path` in the image. */
export function packageOf(path: string, python: PythonPackages): NativePackage {
  return (
    prismaPackage(path) ??
    nodePackageAt(path) ??
    python.find(path) ??
    gemAt(path) ??
    dotnetAt(path) ??
    own(path)
  );
}

/** Finds `gems/NAME-1.16.0-arm64-darwin/` and `extensions/x86_64-linux/3.3.0/NAME-1.16.0/`. */
function gemAt(path: string): NativePackage | undefined {
  const [, root = "", extension, gem] =
    /^(.{0,4000}?\/ruby\/[\d.]+\/)(?:extensions\/[^/]+\/[^/]+\/([^/]+)|gems\/([^/]+))\//.exec(path) ?? [];
  const directory = extension ?? gem;
  if (directory === undefined) return undefined;
  const name = /^(.+?)-\d/.exec(directory)?.[1] ?? directory;
  return { manager: "gem", key: `gem ${root}${name}`, slot: `gem ${root}${name}`, name };
}

/** Finds native files of NuGet packages (https://learn.microsoft.com/dotnet/core/rid-catalog). */
function dotnetAt(path: string): NativePackage | undefined {
  const at = /(?:^|\/)runtimes\/[^/]+\/native[^/]*\//.exec(path);
  if (!at) return undefined;
  const root = path.slice(0, at.index);
  return { manager: "dotnet", key: `dotnet ${root}`, slot: `dotnet ${root}/${stemOf(path)}` };
}

function own(path: string): NativePackage {
  const directories = posix.dirname(path).split("/").map(withoutPlatform);
  return { manager: "own", key: "own", slot: `own ${directories.join("/")}/${stemOf(path)}` };
}

/** Returns `foo` for `libfoo.so.1` and `foo-linux-x64`. */
function stemOf(path: string): string {
  const name = posix.basename(path).replace(/^lib/, "");
  return withoutPlatform(name.replace(/\.so(?:\.[\d.]+)?$/, ""));
}

/** The packages that users install, for platform packages with another name. */
const OWNERS: Readonly<Record<string, string>> = {
  "@img/sharp": "sharp",
  "@img/sharp-libvips": "sharp",
  "@next/swc": "next",
  "@biomejs/cli": "@biomejs/biome",
  "@rspack/binding": "@rspack/core",
  "@unrs/resolver-binding": "unrs-resolver",
  "@ffmpeg-installer/": "@ffmpeg-installer/ffmpeg",
};

const MODULES = "node_modules/";
/** Yarn's `nodeLinker: pnpm`: `node_modules/.store/sharp-npm-0.33.5-8a3b/package/`. */
const YARN_STORE =
  /(?:^|\/)node_modules\/\.store\/([^/]+?)-(?:npm|virtual|https|file|patch)-[^/]*\/package\//;

/** Finds the npm package that holds the file, wherever npm, pnpm, yarn or Bun keep it. */
export function nodePackageAt(path: string): NativePackage | undefined {
  const stored = YARN_STORE.exec(path);
  if (stored?.[1] !== undefined)
    return packageNamed(scoped(stored[1]), path.slice(0, stored.index + stored[0].length), path);
  const at = lastModules(path);
  if (at === undefined) return undefined;
  const [first = "", second = ""] = path.slice(at).split("/", 2);
  const name = first.startsWith("@") ? `${first}/${second}` : first;
  return path.length > at + name.length
    ? packageNamed(name, path.slice(0, at + name.length), path)
    : undefined;
}

function lastModules(path: string): number | undefined {
  const at = path.lastIndexOf(MODULES);
  return at === 0 || (at > 0 && path[at - 1] === "/") ? at + MODULES.length : undefined;
}

/** Returns `@img/sharp-linux-x64` for `@img-sharp-linux-x64`, as Yarn writes it. */
function scoped(name: string): string {
  return name.startsWith("@") ? name.replace("-", "/") : name;
}

/** Platform packages of one owner share a key; each copy of another package has its own. */
function packageNamed(name: string, directory: string, path: string): NativePackage {
  const family = beforePlatform(name);
  const owner = family === undefined ? name : ownerOf(family);
  const key = family === undefined ? `npm ${directory}` : `npm ${owner}`;
  const inside = path.slice(directory.length).split("/").map(withoutPlatform).join("/");
  return {
    ...{ manager: "npm", key, slot: `${key} ${inside}`, name: owner },
    ...(family !== undefined && { isPlatformPackage: true }),
  };
}

/** Returns `esbuild` for `@esbuild/`, `rollup` for `@rollup/rollup`, `rolldown` for its binding. */
function ownerOf(family: string): string {
  const known = OWNERS[family];
  if (known !== undefined) return known;
  const [, scope, name] = /^@([^/]+)\/(.*)$/.exec(family) ?? [];
  return scope !== undefined && (name === "" || name === scope || name === "binding") ? scope : family;
}

const ENGINE = /^(?:lib)?query[-_]engine/;

/**
 * Finds Prisma's engines, which are in several packages and are copied by bundlers. They share one
 * key, because one engine that fits is enough.
 */
function prismaPackage(path: string): NativePackage | undefined {
  const isEngine =
    ENGINE.test(posix.basename(path)) || /(?:^|\/)node_modules\/(?:\.prisma|prisma|@prisma)\//.test(path);
  if (!isEngine) return undefined;
  return {
    manager: "prisma",
    key: "prisma",
    slot: `prisma ${withoutPlatform(posix.basename(path))}`,
    name: "prisma",
  };
}

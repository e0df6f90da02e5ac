import { posix } from "node:path";
import { nodePackageAt, prismaPackage } from "./node-package.ts";
import { withoutPlatform } from "./platform-words.ts";
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
  /**
   * pip: the directory that it is installed in, with a trailing slash, and its version if known.
   */
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

/**
 * Finds the gem in `gems/NAME-1.16.0-arm64-darwin/` or
 * `extensions/x86_64-linux/3.3.0/NAME-1.16.0/`.
 */
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

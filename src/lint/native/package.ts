import { posix } from "node:path";
import { nodePackageAt, prismaPackage } from "./node-package.ts";
import { withoutPlatform } from "./platform-words.ts";
import type { PythonPackages } from "./python-packages.ts";

export type Manager = "npm" | "pip" | "gem" | "dotnet" | "prisma" | "own";

/** What a native file belongs to. */
export interface NativePackage {
  readonly manager: Manager;
  /** Files with the same key are reported together. */
  readonly key: string;
  /** Files of a package that stand for one another, one for each platform, have the same. */
  readonly slot: string;
  /** As a user installs it: `sharp`, `pillow`. Absent for the app's own files. */
  readonly name?: string;
  /** npm: one of the packages that hold the files of one platform only, `@img/sharp-linux-x64`. */
  readonly isPlatformPackage?: boolean;
  /**
   * pip: the directory that it is installed in, with a slash at its end, and its version where it
   * is known.
   */
  readonly site?: string;
  readonly version?: string;
}

/** The package of the file at `path` in the image. */
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

/** `gems/nokogiri-1.16.0-arm64-darwin/`, `extensions/x86_64-linux/3.3.0/nokogiri-1.16.0/`. */
function gemAt(path: string): NativePackage | undefined {
  const [, root = "", extension, gem] =
    /^(.{0,4000}?\/ruby\/[\d.]+\/)(?:extensions\/[^/]+\/[^/]+\/([^/]+)|gems\/([^/]+))\//.exec(path) ?? [];
  const directory = extension ?? gem;
  if (directory === undefined) return undefined;
  const name = /^(.+?)-\d/.exec(directory)?.[1] ?? directory;
  return { manager: "gem", key: `gem ${root}${name}`, slot: `gem ${root}${name}`, name };
}

/** Runtime identifiers: https://learn.microsoft.com/dotnet/core/rid-catalog. */
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

import type { Architecture } from "../oci/platform.ts";

/** What a native file belongs to. */
export interface NativePackage {
  readonly manager: "npm" | "pip" | "none";
  /** `sharp`, `numpy`: what to install again. Absent for a file of the app's own. */
  readonly name?: string;
  /** Its folder, with the words for platforms taken out: `@img/sharp-darwin-arm64` and `@img/sharp-linux-x64` are one. */
  readonly folder: string;
}

const PLATFORM =
  /(?:darwin|macos(?:x)?|osx|win(?:dows|32)?|linux(?:musl|glibc)?|musl|glibc|android|freebsd|openbsd|sunos)[-_]?(?:x64|x86_64|x86|arm64|aarch64|amd64|ia32|arm|armv[67]\w*|universal2?)?(?:[-_](?:musl|gnu|glibc|msvc|gnueabihf|musleabihf))?/gi;
const LONE_MACHINE = /(?<=[-_/.])(?:x64|x86_64|arm64|aarch64|amd64|ia32|armv[67]\w*)(?=[-_/.]|$)/gi;

export function packageOf(path: string): NativePackage {
  const [, before = "", npm = ""] =
    /^(.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/?node_modules\/)/.exec(path) ?? [];
  if (npm !== "")
    return { manager: "npm", name: npm, folder: `${before}node_modules/${withoutPlatform(npm)}` };
  const [, root = "", python = ""] =
    /^(.*?(?:site-packages|dist-packages|var\/task|python)\/)([^/]+)/.exec(path) ?? [];
  const isPython = /\.(?:cpython-|abi3\.|pyd$)|(?:site|dist)-packages\/|\.libs\//.test(path);
  if (isPython && python !== "") {
    const name = python.replace(/\.libs$/, "").replace(/\..*$/, "");
    return { manager: "pip", name, folder: root + name };
  }
  return { manager: "none", folder: withoutPlatform(path) };
}

function withoutPlatform(path: string): string {
  return path.replace(PLATFORM, "*").replace(LONE_MACHINE, "*");
}

interface Candidate {
  readonly path: string;
  readonly fits: boolean;
}

/**
 * Whether a package that brings a file for each platform (prebuilds/darwin-arm64, @img/sharp-linuxmusl-x64) also brings one that fits: then a loader takes
 * that, and the others are only ballast.
 */
export function fitting(path: string, all: readonly Candidate[], architecture: Architecture): boolean {
  if (!namesAnother(path, architecture)) return false;
  const { folder } = packageOf(path);
  return all.some(
    (other) =>
      other.fits &&
      other.path !== path &&
      packageOf(other.path).folder === folder &&
      !namesAnother(other.path, architecture),
  );
}

/** Whether the path says that the file is for another platform than glibc's Linux on `architecture`. */
function namesAnother(path: string, architecture: Architecture): boolean {
  const other =
    architecture === "arm64"
      ? /(?:^|[-_/.])(?:x64|x86_64|amd64|ia32|x86|armv[67]\w*)(?=[-_/.]|$)/i
      : /(?:^|[-_/.])(?:arm64|aarch64|ia32|x86(?!_64)|armv[67]\w*)(?=[-_/.]|$)/i;
  return (
    /darwin|macos|osx|win32|windows|(?:^|[-_/.])win[-_]|musl|android|freebsd|openbsd|sunos/i.test(path) ||
    other.test(path)
  );
}

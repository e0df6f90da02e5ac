import type { BaseFacts } from "../../../lambda/bases.ts";

/**
 * Directories of every Linux image. In an image that is only a system, all paths begin with these.
 */
const SYSTEM = new Set([
  ...["bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc", "root", "run"],
  ...["sbin", "srv", "sys", "tmp", "usr", "usr/bin", "usr/include", "usr/lib", "usr/local", "usr/local/bin"],
  ...["usr/local/lib", "usr/local/sbin", "usr/local/share", "usr/sbin", "usr/share", "var", "var/cache"],
  ...["var/lib", "var/log", "var/run", "var/tmp"],
]);

const AWS = new Set(["var/task", "var/runtime", "var/lang", "var/lang/bin", "var/lang/lib"]);

/** Images of a system and a language, with no files outside the directories above. */
const PLAIN_IMAGES =
  /^(?:docker\.io\/library|public\.ecr\.aws\/docker\/library)\/(?:alpine|amazonlinux|busybox|debian|fedora|node|python|ruby|ubuntu)[:@]|^public\.ecr\.aws\/amazonlinux\//;

/** Facts about a base that do not require reading its layers. */
export interface KnownBase {
  /** The full reference; `scratch` has no files. */
  readonly reference: string;
  readonly facts: BaseFacts | undefined;
  readonly workingDirectory: string;
}

/**
 * Returns whether the base has a directory at an absolute path; undefined if its layers must be
 * read to know.
 */
export function hasDirectory(base: KnownBase, path: string): boolean | undefined {
  const relative = path.slice(1);
  if (relative === "" || path === base.workingDirectory) return true;
  if (base.reference === "scratch") return false;
  if (SYSTEM.has(relative) || (base.facts && AWS.has(relative))) return true;
  return mayHave(base, relative) ? undefined : false;
}

/** Returns whether the base may have files at or below a path, given without a leading slash. */
export function mayHave({ reference, facts }: KnownBase, path: string): boolean {
  if (reference === "scratch") return false;
  if (facts && /^(?:opt|var\/task)(?:\/|$)/.test(path)) return false;
  const [first = ""] = path.split("/");
  return (!facts && !PLAIN_IMAGES.test(reference)) || first === "" || SYSTEM.has(first);
}

/**
 * Returns the directory in which the base's Python looks for packages; undefined if it is unknown.
 */
export function sitePackages({ facts }: KnownBase, env: readonly string[]): string | undefined {
  if (facts?.repository === "python") return `/var/lang/lib/python${facts.tag}/site-packages`;
  // Docker's official images of Python set this variable.
  const version = env
    .map((line) => /^PYTHON_VERSION=(\d+\.\d+)/.exec(line)?.[1])
    .find((one) => one !== undefined);
  return version === undefined ? undefined : `/usr/local/lib/python${version}/site-packages`;
}

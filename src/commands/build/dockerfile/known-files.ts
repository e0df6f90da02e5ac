import type { BaseFacts } from "../../../lambda/bases.ts";

/**
 * Directories that every Linux image has; the first names of all paths in an image that only has a
 * system.
 */
const SYSTEM = new Set([
  ...["bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc", "root", "run"],
  ...["sbin", "srv", "sys", "tmp", "usr", "usr/bin", "usr/include", "usr/lib", "usr/local", "usr/local/bin"],
  ...["usr/local/lib", "usr/local/sbin", "usr/local/share", "usr/sbin", "usr/share", "var", "var/cache"],
  ...["var/lib", "var/log", "var/run", "var/tmp"],
]);

const AWS = new Set(["var/task", "var/runtime", "var/lang", "var/lang/bin", "var/lang/lib"]);

/** Images that are a system and a language, with nothing outside of the directories above. */
const PLAIN_IMAGES =
  /^(?:docker\.io\/library|public\.ecr\.aws\/docker\/library)\/(?:alpine|amazonlinux|busybox|debian|fedora|node|python|ruby|ubuntu)[:@]|^public\.ecr\.aws\/amazonlinux\//;

/** What is known of a base without reading its layers. */
export interface KnownBase {
  /** In full; `scratch` has no files. */
  readonly reference: string;
  readonly facts: BaseFacts | undefined;
  readonly workingDirectory: string;
}

/**
 * Whether the base has a directory at an absolute path; undefined: its layers would have to be
 * read.
 */
export function hasDirectory(base: KnownBase, path: string): boolean | undefined {
  const relative = path.slice(1);
  if (relative === "" || path === base.workingDirectory) return true;
  if (base.reference === "scratch") return false;
  if (SYSTEM.has(relative) || (base.facts && AWS.has(relative))) return true;
  return mayHave(base, relative) ? undefined : false;
}

/** Whether the base may have something at or below a path, given without a slash at its start. */
export function mayHave({ reference, facts }: KnownBase, path: string): boolean {
  if (reference === "scratch") return false;
  if (facts && /^(?:opt|var\/task)(?:\/|$)/.test(path)) return false;
  const [first = ""] = path.split("/");
  return (!facts && !PLAIN_IMAGES.test(reference)) || first === "" || SYSTEM.has(first);
}

/** The directory in which the Python of a base looks for packages; undefined: it is not known. */
export function sitePackages({ facts }: KnownBase, env: readonly string[]): string | undefined {
  if (facts?.repository === "python") return `/var/lang/lib/python${facts.tag}/site-packages`;
  // Docker's official images of Python.
  const version = env
    .map((line) => /^PYTHON_VERSION=(\d+\.\d+)/.exec(line)?.[1])
    .find((one) => one !== undefined);
  return version === undefined ? undefined : `/usr/local/lib/python${version}/site-packages`;
}

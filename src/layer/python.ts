import { posix } from "node:path";

/**
 * An installed Python package, as its `.dist-info` directory tells (packaging.python.org,
 * "Recording installed projects"), or its `.egg-info` (setuptools and distutils, which Linux
 * distributions still use).
 */
export interface Distribution {
  /**
   * The `.dist-info` directory, or the `.egg-info` directory or file, relative to the source
   * directory.
   */
  readonly info: string;
  /** Texts of its files, where they are. */
  readonly record?: string;
  readonly installedFiles?: string;
  readonly topLevel?: string;
}

/**
 * Paths in the source directory that belong to installed packages: directories with all in them,
 * and single files.
 */
interface Claims {
  readonly directories: ReadonlySet<string>;
  readonly files: ReadonlySet<string>;
}

/**
 * The name of an installed package's information. A development install (`pip install -e`) leaves
 * an `.egg-info` without a version beside the app's own code.
 */
const INFO = /^((?:.*\/)?[^/]+(?:\.dist-info(?=\/)|-\d[^/]*\.egg-info))(?:\/([^/]+))?$/;

/** Files of that directory that tell what was installed, by the field that takes them. */
const TEXTS: Readonly<Record<string, "record" | "installedFiles" | "topLevel">> = {
  RECORD: "record",
  "installed-files.txt": "installedFiles",
  "top_level.txt": "topLevel",
};

/** Tells whether `findDistributions` has any use for a path. */
export function tellsOfDistribution(path: string): boolean {
  return path.includes(".dist-info/") || path.includes(".egg-info");
}

/**
 * Finds the distributions among paths of the source directory; `read` gives the text of one of
 * them.
 */
export function findDistributions(
  paths: Iterable<string>,
  read: (path: string) => string,
): readonly Distribution[] {
  const found = new Map<string, Distribution>();
  for (const path of paths) {
    if (!tellsOfDistribution(path)) continue;
    const [, info, name] = INFO.exec(path) ?? [];
    if (info === undefined) continue;
    const text = TEXTS[name ?? ""];
    found.set(info, { ...(found.get(info) ?? { info }), ...(text && { [text]: read(path) }) });
  }
  return [...found.values()];
}

/**
 * Lists what the distributions installed: directories and single modules beside their information,
 * and scripts in `bin`. RECORD or installed-files.txt tells; without them top_level.txt, without
 * that the distribution's name.
 */
export function claimsOf(distributions: readonly Distribution[]): Claims {
  const directories = new Set<string>();
  const files = new Set<string>();
  for (const distribution of distributions) {
    const site = posix.dirname(distribution.info);
    directories.add(distribution.info);
    files.add(distribution.info);
    for (const path of installedPaths(distribution)) {
      const [top = "", ...rest] = path.split("/");
      if (rest.length === 0 || SHARED.has(top)) files.add(posix.join(site, path));
      else directories.add(posix.join(site, top));
    }
  }
  return { directories, files };
}

/** Directories of several packages: there each file counts on its own. */
const SHARED: ReadonlySet<string> = new Set(["bin", "__pycache__"]);

/**
 * Lists paths relative to the directory that holds the information; a directory is told by
 * something in it.
 */
function installedPaths({ info, record, installedFiles, topLevel }: Distribution): readonly string[] {
  if (record !== undefined) return record.split("\n").flatMap(recordedPath);
  // Its paths are relative to the information itself.
  if (installedFiles !== undefined)
    return installedFiles.split("\n").flatMap((line) => recordedPath(posix.join(posix.basename(info), line)));
  const names = topLevel?.split(/\s+/).filter((name) => name !== "") ?? [nameOf(info)];
  return names.flatMap((name) => [`${name}/__init__.py`, `${name}.py`]);
}

/**
 * A line of RECORD is CSV: path, hash, size. `pip install --target` moves scripts to `bin` and
 * leaves `../../bin` here.
 */
function recordedPath(line: string): readonly string[] {
  const [, quoted, plain = ""] = /^(?:"((?:[^"]|"")*)"|([^,]*))/.exec(line.trim()) ?? [];
  const path = posix.normalize((quoted?.replaceAll('""', '"') ?? plain).replaceAll("\\", "/"));
  const script = /^(?:\.\.\/)+bin\/([^/]+)$/.exec(path);
  if (script) return [`bin/${script[1]}`];
  return path === "." || path.startsWith("../") || posix.isAbsolute(path) ? [] : [path];
}

/** `yaml` is not told by PyYAML-6.0.dist-info, but most names are: Jinja2-3.1.2 holds jinja2. */
function nameOf(info: string): string {
  return posix.basename(info).replace(/-.*$/s, "").toLowerCase();
}

/**
 * Gives the hashes of installed files by their paths in the source directory, as RECORD has them:
 * SHA-256 in base64url without padding.
 */
export function recordedHashes(distributions: readonly Distribution[]): ReadonlyMap<string, string> {
  const hashes = new Map<string, string>();
  for (const { info, record = "" } of distributions) {
    for (const line of record.split("\n")) {
      const [, hash] = /,sha256=([\w-]{43}),\d*\s*$/.exec(line) ?? [];
      const [path] = hash === undefined ? [] : recordedPath(line);
      if (hash !== undefined && path !== undefined) hashes.set(posix.join(posix.dirname(info), path), hash);
    }
  }
  return hashes;
}

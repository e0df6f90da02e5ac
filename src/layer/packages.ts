import { posix } from "node:path";
import { parentOf } from "../tar/entry.ts";
import type { Collection, SourceFile } from "./collect.ts";
import { readText } from "./encode/source.ts";

/** Directories of npm and Bundler, with a trailing slash. */
const DEPENDENCIES = /(?:^|\/)node_modules\/|^vendor\/bundle\//;
/** Installed by Maven or Gradle, where Lambda's Java runtime looks. */
const JAR = /^lib\/[^/]+\.jar$/;

/** Returns a test for the files of installed packages, by their paths in the source directory. */
export function installedIn({
  distributions,
  installed,
}: Pick<Collection, "distributions" | "installed">): (path: string) => boolean {
  const claims = claimsOf(distributions);
  const known = new Map<string, boolean>([["", false]]);
  const isIn = (directory: string): boolean => {
    const answer = known.get(directory);
    if (answer !== undefined) return answer;
    const fresh =
      claims.directories.has(directory) || DEPENDENCIES.test(`${directory}/`) || isIn(parentOf(directory));
    known.set(directory, fresh);
    return fresh;
  };
  return (path) =>
    isIn(parentOf(path)) || JAR.test(path) || claims.files.has(path) || installed?.has(path) === true;
}

/** Paths of single packages, as npm, pip in a virtual environment and Bundler create them. */
const DIRECTORIES: readonly RegExp[] = [
  /^(?:.*?\/)??node_modules\/((?:@[^/]+\/)?[^/]+)\//,
  /^(?:.*?\/)??site-packages\/([^/]+)/,
  /^vendor\/bundle\/[^/]+\/[^/]+\/(?:extensions\/[^/]+\/[^/]+|gems|specifications)\/([^/]+)/,
];

/** The part of a file name after the package's name: `-1.26.4.dist-info`, `.libs`, `-2.0.jar`. */
const TAIL = /(?:-\d[^/]*?)?(?:\.(?:dist-info|egg-info|data|libs|gemspec|jar|pth|py|so))?$/;

/**
 * Returns the name, without version, of the package that a path of installed files belongs to:
 * `numpy` for `numpy/x.py`, `numpy.libs/x.so` and `numpy-1.26.4.dist-info/RECORD`. Any other path
 * belongs to its topmost directory.
 */
export function packageOf(path: string): string {
  for (const place of DIRECTORIES) {
    const [, name] = place.exec(path) ?? [];
    if (name !== undefined) return plain(name);
  }
  const [top = "", second] = path.split("/");
  return plain(top === "lib" && second?.endsWith(".jar") ? second : top);
}

function plain(name: string): string {
  return name.replace(TAIL, "").replaceAll("_", "-").toLowerCase() || name;
}

/**
 * An installed Python package, described by its `.dist-info` directory (packaging.python.org,
 * "Recording installed projects") or its `.egg-info` (setuptools and distutils, which Linux
 * distributions still use).
 */
export interface Distribution {
  /** The `.dist-info` directory, or the `.egg-info` one or file, within the source directory. */
  readonly info: string;
  /** The texts of its files, if they exist. */
  readonly record?: string;
  readonly installedFiles?: string;
  readonly topLevel?: string;
}

/** Paths in the source directory that belong to installed packages. */
interface Claims {
  readonly directories: ReadonlySet<string>;
  readonly files: ReadonlySet<string>;
}

/**
 * The name of an installed package's information. A development install (`pip install -e`) leaves
 * an `.egg-info` without a version beside the app's own code.
 */
const INFO = /^((?:.*\/)?[^/]+(?:\.dist-info(?=\/)|-\d[^/]*\.egg-info))(?:\/([^/]+))?$/;

/** Files of that directory that list what was installed, and the fields that hold their texts. */
const TEXTS: Readonly<Record<string, "record" | "installedFiles" | "topLevel">> = {
  RECORD: "record",
  "installed-files.txt": "installedFiles",
  "top_level.txt": "topLevel",
};

/** Finds the distributions among files of the source directory. @throws FILE_CHANGED, FILE_UNREADABLE. */
export function findDistributions(files: readonly SourceFile[]): readonly Distribution[] {
  const found = new Map<string, Distribution>();
  for (const { path, entry } of files) {
    if (entry.kind !== "file" || !/\.dist-info\/|\.egg-info/.test(path)) continue;
    const [, info, name] = INFO.exec(path) ?? [];
    if (info === undefined) continue;
    const text = TEXTS[name ?? ""];
    found.set(info, { ...(found.get(info) ?? { info }), ...(text && { [text]: readText(entry) }) });
  }
  return [...found.values()];
}

/**
 * Lists what the distributions installed: directories and single modules beside their information,
 * and scripts in `bin`. Uses RECORD or installed-files.txt, or else top_level.txt, or else the
 * distribution's name.
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

/** Directories that several packages share: their files are listed one by one. */
const SHARED: ReadonlySet<string> = new Set(["bin", "__pycache__"]);

/** Lists paths beside the information; a directory is listed by a file in it. */
function installedPaths({ info, record, installedFiles, topLevel }: Distribution): readonly string[] {
  if (record !== undefined) return record.split("\n").flatMap(recordedPath);
  // The paths in this file are relative to the information directory.
  if (installedFiles !== undefined)
    return installedFiles.split("\n").flatMap((line) => recordedPath(posix.join(posix.basename(info), line)));
  const names = topLevel?.split(/\s+/).filter((name) => name !== "") ?? [nameOf(info)];
  return names.flatMap((name) => [`${name}/__init__.py`, `${name}.py`]);
}

/**
 * Reads the path in a line of RECORD (CSV: path, hash, size). `pip install --target` moves scripts
 * to `bin` but still records `../../bin`.
 */
function recordedPath(line: string): readonly string[] {
  const [, quoted, plain = ""] = /^(?:"((?:[^"]|"")*)"|([^,]*))/.exec(line.trim()) ?? [];
  const path = posix.normalize((quoted?.replaceAll('""', '"') ?? plain).replaceAll("\\", "/"));
  const script = /^(?:\.\.\/)+bin\/([^/]+)$/.exec(path);
  if (script) return [`bin/${script[1]}`];
  return path === "." || path.startsWith("../") || posix.isAbsolute(path) ? [] : [path];
}

/** Guesses the module's name: mostly right, as jinja2 for Jinja2-3.1.2, but not yaml for PyYAML. */
function nameOf(info: string): string {
  return posix.basename(info).replace(/-.*$/s, "").toLowerCase();
}

/**
 * Returns the hashes of installed files by their paths in the source directory, as RECORD has them:
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

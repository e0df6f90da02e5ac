import { parentOf } from "../tar/entry.ts";
import type { Collection } from "./collect.ts";
import { claimsOf } from "./python.ts";

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

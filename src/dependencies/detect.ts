import { existsSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { type LambdaPackError, misuse } from "../errors.ts";

type Ecosystem = "nodejs" | "python" | "ruby";

interface WayFacts {
  readonly ecosystem: Ecosystem;
  /** The files to install from, in order of precedence. */
  readonly files: readonly RegExp[];
}

const NPM_LOCKS = [/^npm-shrinkwrap\.json$/, /^package-lock\.json$/];
const REQUIREMENTS = /^requirements\.txt$/;
const UV_LOCK = /^uv\.lock$/;

/** The ways to install dependencies, by the value of `--install=HOW`. */
export const WAYS = {
  "npm-lock": { ecosystem: "nodejs", files: NPM_LOCKS },
  npm: { ecosystem: "nodejs", files: NPM_LOCKS },
  pnpm: { ecosystem: "nodejs", files: [/^pnpm-lock\.yaml$/] },
  yarn: { ecosystem: "nodejs", files: [/^yarn\.lock$/] },
  bun: { ecosystem: "nodejs", files: [/^bun\.lock$/, /^bun\.lockb$/] },
  "uv-lock": { ecosystem: "python", files: [UV_LOCK] },
  // A tool's own file wins over the general one (PEP 751).
  pylock: { ecosystem: "python", files: [/^pylock\.lambda-pack\.toml$/, /^pylock\.toml$/] },
  uv: { ecosystem: "python", files: [UV_LOCK, REQUIREMENTS] },
  pip: { ecosystem: "python", files: [REQUIREMENTS] },
  poetry: { ecosystem: "python", files: [/^poetry\.lock$/] },
  pipenv: { ecosystem: "python", files: [/^Pipfile\.lock$/] },
  bundler: { ecosystem: "ruby", files: [/^Gemfile\.lock$/] },
} satisfies Readonly<Record<string, WayFacts>>;

export type InstallWay = keyof typeof WAYS;

/** `auto`: by the lock file in the directory. `none`: nothing is installed. */
export type InstallHow = InstallWay | "auto" | "none";

export const INSTALL_HOWS: readonly InstallHow[] = ["auto", ...(Object.keys(WAYS) as InstallWay[]), "none"];

/** The order in which `auto` tries them. */
const AUTO_WAYS: readonly InstallWay[] = [
  ...(["npm-lock", "pnpm", "yarn", "bun"] as const),
  ...(["pylock", "uv-lock", "poetry", "pipenv", "pip"] as const),
  "bundler",
];

/** Names of dependencies to install in addition to the required ones. */
export interface Selection {
  /** Optional dependencies (PEP 621). */
  readonly extras: readonly string[];
  /** Dependency groups (PEP 735), or a tool's equivalent. */
  readonly groups: readonly string[];
}

/** The ways whose locks have extras or groups. */
export const SELECTABLE: Readonly<Record<keyof Selection, readonly InstallWay[]>> = {
  extras: ["uv-lock", "pylock", "uv", "poetry"],
  groups: ["uv-lock", "pylock", "uv", "poetry", "pipenv"],
};

/** A lock file, and the way to install from it. */
export interface LockFile {
  readonly way: InstallWay;
  /** An absolute path. */
  readonly directory: string;
  readonly file: string;
  /**
   * The application's directory relative to the lock's, with `/` as separator; empty if they are
   * the same.
   */
  readonly member: string;
}

/** Files of languages whose compiler includes the dependencies, and what to run instead. */
const COMPILED: readonly (readonly [RegExp, string])[] = [
  [
    /^pom\.xml$/,
    "mvn package dependency:copy-dependencies, and build the directory that has the jars in lib/",
  ],
  [
    /^build\.gradle(?:\.kts)?$/,
    "gradle build with a task that copies the jars to lib/, and build that directory",
  ],
  [/\.(?:cs|fs)proj$/, "dotnet publish -c Release, and build its publish directory"],
  [
    /^go\.mod$/,
    "GOOS=linux CGO_ENABLED=0 go build -tags lambda.norpc -o bootstrap, and build the directory of bootstrap",
  ],
  [/^Cargo\.toml$/, "cargo lambda build --release, and build the directory of bootstrap"],
];

/**
 * Finds the lock files that `--install` may use, one for each ecosystem: in the directory, else in
 * the nearest parent with any, up to the root of the repository. A way that the user named has one
 * file.
 * @throws USAGE if there is none
 */
export function findLockFiles(directory: string, how: Exclude<InstallHow, "none">): readonly LockFile[] {
  const root = resolve(directory);
  const ways = how === "auto" ? AUTO_WAYS : [how];
  const found = new Map<string, LockFile>();
  for (const at of directoriesFrom(root)) {
    if (found.size > 0) break;
    const names = namesIn(at);
    for (const way of ways) {
      const { ecosystem, files } = WAYS[way];
      const file = files
        .map((pattern) => names.find((name) => pattern.test(name)))
        .find((name) => name !== undefined);
      if (file === undefined || found.has(ecosystem)) continue;
      found.set(ecosystem, {
        way,
        directory: at,
        file,
        member: relative(at, root).split(sep).join("/"),
      });
    }
  }
  if (found.size === 0) throw nothingToInstall(root, how);
  return [...found.values()];
}

function* directoriesFrom(root: string): Generator<string> {
  for (let at = root; ; at = dirname(at)) {
    yield at;
    if (existsSync(join(at, ".git")) || dirname(at) === at) return;
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function nothingToInstall(directory: string, how: InstallHow): LambdaPackError {
  if (how !== "auto" && how !== "none") {
    const wanted = WAYS[how].files.map(({ source }) => source.replace(/[\\^$]/g, "")).join(" or ");
    return misuse(
      `--install=${how} needs ${wanted}, and ${directory} has none`,
      "write the lock file first, or leave out --install",
    );
  }
  const names = namesIn(directory);
  const [, command] = COMPILED.find(([pattern]) => names.some((name) => pattern.test(name))) ?? [];
  if (command !== undefined) {
    return misuse(`--install does not compile, and ${directory} needs a compiler`, `run ${command}`);
  }
  const isNode = names.includes("package.json");
  return misuse(
    `--install finds no lock file in ${directory}`,
    isNode
      ? "write one first: npm install --package-lock-only"
      : "it installs from package-lock.json, pnpm-lock.yaml, yarn.lock, bun.lock, uv.lock, pylock.toml, poetry.lock, Pipfile.lock, requirements.txt and Gemfile.lock",
  );
}

/**
 * Returns the lock file for the base's language.
 * @throws USAGE if this does not decide among several
 */
export function chooseLockFile(found: readonly LockFile[], language: string | undefined): LockFile {
  const [first] = found;
  const own = found.find(({ way }) => WAYS[way].ecosystem === language);
  if (own) return own;
  if (first && found.length === 1) return first;
  throw misuse(
    `there are several lock files: ${found.map(({ file }) => file).join(", ")}`,
    `say which one counts: ${found.map(({ way }) => `--install=${way}`).join(" or ")}`,
  );
}

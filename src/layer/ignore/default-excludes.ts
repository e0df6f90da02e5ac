import { existsSync, lstatSync } from "node:fs";
import { join, posix } from "node:path";
import { parentOf } from "../../tar/entry.ts";
import { namesIn, textOf } from "../source-root.ts";
import { type IgnoreRules, UNNAMED, type Verdict } from "./ignore.ts";

/** Files and directories that editors, test runners, linters and other tools keep in a project. */
export const TOOL_NAMES: ReadonlySet<string> = new Set([
  ...[".vscode", ".idea", ".vs", ".fleet", ".zed"],
  ...[".pytest_cache", ".mypy_cache", ".ruff_cache", ".pytype", ".hypothesis", ".ipynb_checkpoints"],
  ...[".tox", ".nox", ".nyc_output", ".turbo", ".parcel-cache", ".eslintcache", ".stylelintcache"],
  ...[".pnpm-store", ".gradle", ".terraform", ".serverless", ".aws-sam", ".direnv", "Thumbs.db"],
]);

/** Data files of coverage.py, and Vim's swap files. */
const FILES = /^(?:\.coverage(?:\.[^/]+)?|\..+\.sw[op])$/;

interface Evidence {
  readonly name: RegExp;
  /** One of these has to be in the directory, because a part of the app may have the same name. */
  readonly holds: readonly string[];
}

const VIRTUAL_ENVIRONMENT: Evidence = {
  name: /^\.?(?:v?env|virtualenv)(?:[-_.\d][^/]*)?$/,
  holds: ["pyvenv.cfg"],
};

const OUTPUT_OF_TOOLS: readonly Evidence[] = [
  VIRTUAL_ENVIRONMENT,
  {
    name: /^coverage$/,
    holds: ["lcov.info", "lcov-report", "clover.xml", "coverage-final.json", ".last_run.json"],
  },
  { name: /^htmlcov$/, holds: ["status.json"] },
  { name: /^cdk\.out$/, holds: ["manifest.json", "cdk.out"] },
];

/** Directories of installed packages, in which tools keep no files of their own. */
const INSTALLED = /(?:^|\/)(?:node_modules|site-packages|dist-packages|vendor)(?:\/|$)/;

/**
 * Returns a test for paths that a build excludes although no ignore file names them: virtual
 * environments, files of tools, and output of this program. Files of installed packages are never
 * excluded.
 * @param root absolute path of the source directory
 * @param inUse texts that name what the function starts and where it looks, such as values of PATH:
 * paths that are named in them are kept
 */
export function defaultExcludes(root: string, inUse: readonly string[]): (path: string) => boolean {
  const installed = new Map<string, boolean>([["", false]]);
  const isInstalled = (directory: string): boolean => {
    const known = installed.get(directory);
    if (known !== undefined) return known;
    const parent = parentOf(directory);
    const answer = INSTALLED.test(directory) || isInstalled(parent) || holdsPackages(join(root, parent));
    installed.set(directory, answer);
    return answer;
  };
  return (path) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const parent = parentOf(path);
    if (isInstalled(parent)) return false;
    if (!isToolFile(root, path, name)) return isEarlierOutput(root, path);
    return !inUse.some((text) => names(text, name)) && !isImported(root, path, inUse);
  };
}

function isToolFile(root: string, path: string, name: string): boolean {
  if (TOOL_NAMES.has(name) || FILES.test(name)) return true;
  const found = OUTPUT_OF_TOOLS.find((one) => one.name.test(name));
  if (!found) return false;
  const source = join(root, path);
  if (isLink(source)) return name === ".venv";
  return found.holds.some((file) => existsSync(join(source, file)));
}

/** Returns whether a path has the name of a virtual environment. */
export function isEnvironment(path: string): boolean {
  return VIRTUAL_ENVIRONMENT.name.test(posix.basename(path));
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/** Returns whether pip has installed packages into the directory. */
function holdsPackages(directory: string): boolean {
  return namesIn(directory).some((name) => /\.(?:dist|egg)-info$/.test(name));
}

function names(text: string, name: string): boolean {
  return text.split(/[/:=\s"',]+/).includes(name);
}

/**
 * Returns whether a file beside the directory adds it to Python's path, or a file that the function
 * starts runs a program in it.
 */
function isImported(root: string, path: string, inUse: readonly string[]): boolean {
  const name = posix.basename(path);
  if (!isEnvironment(name)) return false;
  const directory = join(root, parentOf(path));
  return namesIn(directory).some((file) => {
    const isStarted = file === "bootstrap" || inUse.some((text) => names(text, file));
    if (!isStarted && !file.endsWith(".py")) return false;
    const used = textOf(join(directory, file)).split(name).slice(1);
    return used.some((rest) => (isStarted ? /^\/bin\/|^["',\s/]+lib/ : /^["',\s/]+lib/).test(rest));
  });
}

/** Added to the number of a line: a default exclude counts after that line and before the next. */
const AFTER = 0.5;

/** Returns whether a default exclude made the verdict. */
export function isByDefault(verdict: Verdict): boolean {
  return !Number.isInteger(verdict);
}

/** Adds default excludes to rules. A line that names the same path, or something in it, wins. */
export function withDefaults(rules: IgnoreRules, isExcluded: (path: string) => boolean): IgnoreRules {
  return {
    judge(path, parent) {
      const above = parent === undefined ? undefined : Math.floor(parent);
      const named = rules.judge(path, above);
      if (named !== (above ?? UNNAMED)) return named;
      const inherited = parent ?? UNNAMED;
      if (isByDefault(inherited) || rules.ignores(named) || !isExcluded(path)) return inherited;
      return named + AFTER;
    },
    ignores: (verdict) => isByDefault(verdict) || rules.ignores(verdict),
    mayIncludeBelow: (directory, verdict) => rules.mayIncludeBelow(directory, Math.floor(verdict)),
    lineOf: (verdict) => (isByDefault(verdict) ? undefined : rules.lineOf(verdict)),
  };
}

const DIGEST = "sha256:[0-9a-f]{64}";

/** The beginnings of files that this program writes. */
const BEGINNINGS: readonly { readonly name: RegExp; readonly text: RegExp }[] = [
  { name: /\.html?$/i, text: /^<!doctype html>\n.*<title>[^<]* · lambda-pack<\/title>/s },
  // The JSON of build and push, of check, of inspect and of diff.
  { name: /\.json$/i, text: new RegExp(`^\\{"digest":"${DIGEST}","reference":"`) },
  {
    name: /\.json$/i,
    text: /^\{"source":"[^"]*",(?:"digest":"[^"]*",)?"platform":"[^"]*","ok":(?:true|false),/,
  },
  {
    name: /\.json$/i,
    text: new RegExp(`^(?:\\{"before":)?\\{"reference":"[^"]*","digest":"${DIGEST}","mediaType":"`),
  },
  // A tar begins with the name of its first file, whose content begins at byte 512.
  { name: /\.tar$/i, text: /^oci-layout\0/ },
  { name: /\.tar$/i, text: /^manifest\.json\0.{498}\[\{"Config":"/s },
];

/** In bytes: longer than the head of a page with a long reference. */
const START = 2048;

/** Sizes of the file of `--iidfile`, without and with an end of line. */
const IIDFILE_BYTES: ReadonlySet<number> = new Set([71, 72]);

/** Results are written beside the app or into a directory of it, not deeper. */
const DEEPEST = 2;

/**
 * Returns whether a file or directory of the source directory is output of an earlier run: an OCI
 * layout, a cache, an archive of an image, a report, or the file of `--metadata-file` or
 * `--iidfile`.
 */
function isEarlierOutput(root: string, path: string): boolean {
  if (path.split("/", DEEPEST + 1).length > DEEPEST) return false;
  const source = join(root, path);
  const stats = lstatSync(source, { throwIfNoEntry: false });
  const hasBoth = (a: string, b: string) => existsSync(join(source, a)) && existsSync(join(source, b));
  if (stats?.isDirectory()) return hasBoth("oci-layout", "index.json") || hasBoth("CACHEDIR.TAG", "blobs");
  if (!stats?.isFile()) return false;
  if (IIDFILE_BYTES.has(stats.size)) return new RegExp(`^${DIGEST}\n?$`).test(textOf(source, START));
  const fitting = BEGINNINGS.filter(({ name }) => name.test(path));
  if (fitting.length === 0) return false;
  const start = textOf(source, START);
  return fitting.some(({ text }) => text.test(start));
}

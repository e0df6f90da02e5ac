import { setImmediate as yieldToEventLoop } from "node:timers/promises";
import { LambdaPackError } from "../errors.ts";
import { type DirectoryModes, type Entry, sortByName, tarName } from "../tar/entry.ts";
import { keepBytecodeValid } from "./bytecode.ts";
import { defaultExcludes, isByDefault, isEnvironment, withDefaults } from "./ignore/default-excludes.ts";
import { onlyInEnvironment } from "./ignore/environment-packages.ts";
import { cleanPattern, compileIgnore, readIgnoreFile, type Verdict } from "./ignore/ignore.ts";
import { IgnoredDependencies } from "./ignore/ignored-dependencies.ts";
import { isNever } from "./ignore/never.ts";
import { checkLength } from "./names.ts";
import { type Distribution, findDistributions } from "./packages.ts";
import { openRoot, parseTarget, pathWithin } from "./source-root.ts";
import { toEntry, type Warning } from "./to-entry.ts";
import { type WalkOptions, walk } from "./walk.ts";

export interface CollectOptions {
  /** The source directory; may itself be a link. */
  readonly directory: string;
  /** Absolute path in the image: `/var/task`. */
  readonly target: string;
  /**
   * Default: the first of `.lambdaignore`, `.containerignore` and `.dockerignore` of the source
   * directory.
   */
  readonly ignoreFile?: string | undefined;
  /** Patterns after those of the ignore file. */
  readonly exclude?: readonly string[] | undefined;
  /**
   * Texts that name what the function starts and where it looks: default excludes keep every path
   * that is named in them. `false`: there are no default excludes.
   */
  readonly inUse?: readonly string[] | false | undefined;
  /** Whether packages are installed later, so that the directory need not contain them. */
  readonly installs?: boolean | undefined;
  /** Paths that this program writes: excluded if they are inside the source directory. */
  readonly output?: readonly string[] | undefined;
  /** Modes of directories that the base has. */
  readonly directoryModes?: DirectoryModes | undefined;
  /** Default: this machine's. */
  readonly platform?: NodeJS.Platform | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SourceFile {
  /** Relative to the source directory, '/'-separated. */
  readonly path: string;
  readonly entry: Entry;
}

/** What goes into the image, before it is split into layers. */
export interface Collection {
  /** Files, links and empty directories, in the order of the tar. */
  readonly files: readonly SourceFile[];
  /** Entries that are not directories. */
  readonly count: number;
  /** Bytes of all files. */
  readonly bytes: number;
  readonly warnings: readonly Warning[];
  /** Paths that were excluded by default, relative to the source directory. */
  readonly leftOut?: readonly string[];
  /** Patterns of `exclude` that excluded nothing, as they were given. */
  readonly unmatched?: readonly string[];
  /** Installed Python packages among the files. */
  readonly distributions: readonly Distribution[];
  /** Paths of files that this build itself has installed. */
  readonly installed?: ReadonlySet<string>;
  readonly directoryModes: DirectoryModes;
}

/**
 * Collects everything in the source directory that the ignore rules keep, as entries under
 * `target`. Follows no link and keeps no file open.
 * @throws DIRECTORY_UNREADABLE, DIRECTORY_EMPTY, FILE_UNREADABLE, FILE_CHANGED, FILE_KIND,
 * FILE_NAME, IGNORE_PATTERN, USAGE.
 */
export async function collect(options: CollectOptions): Promise<Collection> {
  const root = openRoot(options.directory);
  const rules = rulesOf(root, options);
  const found = await find(root, options, rules);
  const sorted = withoutParents(sortByName(found, ({ entry }) => tarName(entry)));
  const distributions = findDistributions(sorted);
  const files = keepBytecodeValid(sorted, distributions);
  const others = files.filter(({ entry }) => entry.kind !== "directory");
  if (others.length === 0) throw empty(options.directory);
  const { leftOut, environments, needed } = rules;
  const missing = options.installs ? undefined : onlyInEnvironment(root, environments, files);
  const warnings = [...needed.warnings(), ...(missing ? [missing] : [])];
  return {
    files,
    count: others.length,
    bytes: others.reduce((sum, { entry }) => sum + (entry.kind === "file" ? entry.size : 0), 0),
    warnings: sortByName(warnings, ({ message }) => message),
    leftOut: sortByName(leftOut, (path) => path),
    unmatched: [...rules.unmatched],
    distributions,
    directoryModes: options.directoryModes ?? new Map(),
  };
}

/** Items found between two yields to the event loop. */
const ITEMS_AT_ONCE = 1000;

async function find(root: string, options: CollectOptions, rules: Rules): Promise<readonly SourceFile[]> {
  const { directoryModes: modes = new Map(), platform = process.platform, signal } = options;
  const prefix = parseTarget(options.target);
  const files: SourceFile[] = [];
  let count = 0;
  for (const found of walk(root, rules.walk)) {
    const path = prefix === "" ? found.path : `${prefix}/${found.path}`;
    checkLength(path);
    if (found.isKept) files.push({ path: found.path, entry: toEntry(found, { path, modes, platform }) });
    if (++count % ITEMS_AT_ONCE === 0) await yieldToEventLoop();
    signal?.throwIfAborted();
  }
  return files;
}

/** Removes directories that are not empty: the content, which follows them, implies them. */
function withoutParents(sorted: readonly SourceFile[]): readonly SourceFile[] {
  return sorted.filter(
    ({ path, entry }, index) => entry.kind !== "directory" || !sorted[index + 1]?.path.startsWith(`${path}/`),
  );
}

/** The rules of the walk, and what it records about excluded paths. */
interface Rules {
  readonly walk: WalkOptions;
  readonly leftOut: string[];
  /** Virtual environments that are excluded. */
  readonly environments: string[];
  /** Excluded paths that the function needs. */
  readonly needed: IgnoredDependencies;
  /** Patterns of `exclude` that have excluded nothing so far. */
  readonly unmatched: Set<string>;
}

function rulesOf(root: string, options: CollectOptions): Rules {
  const { ignoreFile, exclude = [], output = [], inUse = [], installs = false } = options;
  const { path, lines } = readIgnoreFile(root, ignoreFile);
  const excluded = exclude.map((line) => ({ pattern: cleanPattern(line), where: "--exclude" }));
  const own = new Set(
    [...output, ...(path === undefined ? [] : [path])].map((file) => pathWithin(root, file)),
  );
  const named = compileIgnore([...lines, ...excluded]);
  const ignore = inUse === false ? named : withDefaults(named, defaultExcludes(root, inUse));
  const needed = new IgnoredDependencies(root, path, inUse || [], installs);
  const leftOut: string[] = [];
  const environments: string[] = [];
  const unmatched = new Set(exclude.filter((pattern) => !pattern.startsWith("!")));
  const onIgnored = (candidate: string, verdict: Verdict) => {
    if (!isByDefault(verdict)) unmatched.delete(exclude[verdict - lines.length] ?? "");
    if (ignore.mayIncludeBelow(candidate, verdict)) return;
    const line = ignore.lineOf(verdict);
    if (isEnvironment(candidate) && (!line || needed.isForDocker(line))) environments.push(candidate);
    if (isByDefault(verdict)) leftOut.push(candidate);
    needed.add(candidate, line);
  };
  const isAlwaysExcluded = (candidate: string) => isNever(candidate) || own.has(candidate);
  return { walk: { ignore, onIgnored, isAlwaysExcluded }, leftOut, environments, needed, unmatched };
}

function empty(directory: string): LambdaPackError {
  return new LambdaPackError("DIRECTORY_EMPTY", `nothing to pack in ${directory}: no file is left`, {
    hint: "name the directory that holds the function's code, and see what its ignore file leaves out",
  });
}

import { readFileSync } from "node:fs";
import { setImmediate as breathe } from "node:timers/promises";
import { LambdaPackError } from "../errors.ts";
import { unreadable } from "./encode/source.ts";
import { type DirectoryModes, type Entry, parentOf, sortByName, tarName } from "./entry.ts";
import { entryOf, linkWarning, type Warning } from "./found.ts";
import { cleanPattern, compileIgnore } from "./ignore/ignore.ts";
import { readIgnoreFile } from "./ignore/ignore-file.ts";
import { isNever } from "./ignore/never.ts";
import { checkLength } from "./names.ts";
import { openRoot, parseTarget, pathWithin } from "./places.ts";
import { type Distribution, findDistributions } from "./python.ts";
import { type WalkOptions, walk } from "./walk.ts";

export interface CollectOptions {
  /** The source folder; may itself be a link. */
  readonly directory: string;
  /** Absolute path in the image: `/var/task`. */
  readonly target: string;
  /** Default: `.lambdaignore`, else `.dockerignore` of the source folder. */
  readonly ignoreFile?: string | undefined;
  /** Patterns after those of the ignore file. */
  readonly exclude?: readonly string[] | undefined;
  /** Our own destinations and caches: left out where they lie inside the source folder. */
  readonly output?: readonly string[] | undefined;
  /** Modes of directories that the base has. */
  readonly directoryModes?: DirectoryModes | undefined;
  /** Default: this machine's. */
  readonly platform?: NodeJS.Platform | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SourceFile {
  /** Relative to the source folder, '/'-separated. */
  readonly path: string;
  readonly entry: Entry;
}

/** What goes into the image, before it is cut into layers. */
export interface Collection {
  /** Files, links and empty folders, in the order of the tar. */
  readonly files: readonly SourceFile[];
  /** Entries that are not folders. */
  readonly count: number;
  /** Of all files. */
  readonly bytes: number;
  readonly warnings: readonly Warning[];
  /** Installed Python packages among the files. */
  readonly distributions: readonly Distribution[];
  readonly directoryModes: DirectoryModes;
}

/**
 * Everything in the source folder that the ignore rules leave, as entries under `target`. No link is followed and no file is kept open.
 * @throws DIRECTORY_UNREADABLE, DIRECTORY_EMPTY, FILE_UNREADABLE, FILE_CHANGED, FILE_KIND, FILE_NAME, IGNORE_PATTERN, USAGE.
 */
export async function collect(options: CollectOptions): Promise<Collection> {
  const root = openRoot(options.directory);
  const found = await findFiles(root, options);
  const files = leavesOf(sortByName(found, ({ entry }) => tarName(entry)));
  const count = files.filter(({ entry }) => entry.kind !== "directory").length;
  if (count === 0) throw empty(options.directory);
  return {
    files,
    count,
    bytes: files.reduce((sum, { entry }) => sum + (entry.kind === "file" ? entry.size : 0), 0),
    warnings: files.flatMap(({ path, entry }) =>
      entry.kind === "symlink" ? (linkWarning(path, entry.target) ?? []) : [],
    ),
    distributions: findDistributions(regularPaths(files), (path) => readText(`${root}/${path}`)),
    directoryModes: options.directoryModes ?? new Map(),
  };
}

/** Things found before other work gets its turn. */
const STRETCH = 1000;

async function findFiles(root: string, options: CollectOptions): Promise<readonly SourceFile[]> {
  const { directoryModes: modes = new Map(), platform = process.platform, signal } = options;
  const prefix = parseTarget(options.target);
  const files: SourceFile[] = [];
  for (const found of walk(root, walkOptions(root, options))) {
    const path = prefix === "" ? found.path : `${prefix}/${found.path}`;
    checkLength(path);
    files.push({ path: found.path, entry: entryOf(found, { path, modes, platform }) });
    if (files.length % STRETCH === 0) await breathe();
    signal?.throwIfAborted();
  }
  return files;
}

function walkOptions(root: string, { ignoreFile, exclude = [], output = [] }: CollectOptions): WalkOptions {
  const { path, lines } = readIgnoreFile(root, ignoreFile);
  const excluded = exclude.map((line) => ({ pattern: cleanPattern(line), where: "--exclude" }));
  const ours = new Set(
    [...output, ...(path === undefined ? [] : [path])].map((own) => pathWithin(root, own)),
  );
  return {
    ignore: compileIgnore([...lines, ...excluded]),
    leavesOut: (candidate) => isNever(candidate) || ours.has(candidate),
  };
}

/** Without the folders that something in them brings along. */
function leavesOf(files: readonly SourceFile[]): readonly SourceFile[] {
  const parents = new Set(files.map(({ path }) => parentOf(path)));
  return files.filter(({ path, entry }) => entry.kind !== "directory" || !parents.has(path));
}

function* regularPaths(files: readonly SourceFile[]): Generator<string> {
  for (const { path, entry } of files) if (entry.kind === "file") yield path;
}

function readText(source: string): string {
  try {
    return readFileSync(source, "utf8");
  } catch (error) {
    throw unreadable(source, error);
  }
}

function empty(directory: string): LambdaPackError {
  return new LambdaPackError("DIRECTORY_EMPTY", `nothing to pack in ${directory}: no file is left`, {
    hint: "name the folder that holds the function's code, and see what its ignore file leaves out",
  });
}

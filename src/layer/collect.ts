import { readFileSync } from "node:fs";
import { setImmediate as breathe } from "node:timers/promises";
import { LambdaPackError } from "../errors.ts";
import { type DirectoryModes, sortByName } from "../tar/entry.ts";
import { unreadable } from "./encode/source.ts";
import { FileTable, type Row, type SourceFiles } from "./file-table.ts";
import { entryOf, linkWarning, type Warning } from "./found.ts";
import { cleanPattern, compileIgnore } from "./ignore/ignore.ts";
import { readIgnoreFile } from "./ignore/ignore-file.ts";
import { isNever } from "./ignore/never.ts";
import { checkLength } from "./names.ts";
import { openRoot, parseTarget, pathWithin } from "./places.ts";
import { type Distribution, findDistributions, tellsOfDistribution } from "./python.ts";
import { type Found, type WalkOptions, walk } from "./walk.ts";

export type { SourceFile } from "./file-table.ts";

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

/** What goes into the image, before it is cut into layers. */
export interface Collection {
  /** Files, links and empty folders. */
  readonly files: SourceFiles;
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
  const modes = options.directoryModes ?? new Map();
  const table = new FileTable({ root, prefix: parseTarget(options.target), modes });
  const { count, bytes, warnings, installed } = await fill(table, root, options);
  if (count === 0) throw empty(options.directory);
  return {
    files: table,
    count,
    bytes,
    warnings: sortByName(warnings, ({ message }) => message),
    distributions: findDistributions(
      sortByName(installed, (path) => path),
      (path) => readText(`${root}/${path}`),
    ),
    directoryModes: modes,
  };
}

/** Things found before other work gets its turn. */
const STRETCH = 1000;

/** What is learned of files while they are found. */
interface Tally {
  count: number;
  bytes: number;
  readonly warnings: Warning[];
  /** Paths of what tells of installed Python packages. */
  readonly installed: string[];
}

async function fill(table: FileTable, root: string, options: CollectOptions): Promise<Tally> {
  const tally: Tally = { count: 0, bytes: 0, warnings: [], installed: [] };
  const rowOf = rowsFor(options);
  let found = 0;
  for (const one of walk(root, walkOptions(root, options))) {
    const row = rowOf(one);
    table.add(row);
    note(tally, one.path, row);
    if (++found % STRETCH === 0) await breathe();
    options.signal?.throwIfAborted();
  }
  return tally;
}

function rowsFor({
  target,
  directoryModes: modes = new Map(),
  platform = process.platform,
}: CollectOptions): (found: Found) => Row {
  const prefix = parseTarget(target);
  return (found) => {
    const { folder, name, isKept } = found;
    const path = prefix === "" ? found.path : `${prefix}/${found.path}`;
    checkLength(path);
    return { folder, name, entry: isKept ? entryOf(found, { path, modes, platform }) : undefined };
  };
}

function note(tally: Tally, path: string, { entry }: Row): void {
  if (!entry || entry.kind === "directory") return;
  tally.count += 1;
  if (entry.kind === "symlink") tally.warnings.push(...[linkWarning(path, entry.target) ?? []].flat());
  else {
    tally.bytes += entry.size;
    if (tellsOfDistribution(path)) tally.installed.push(path);
  }
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

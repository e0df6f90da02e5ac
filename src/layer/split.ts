import type { Digest } from "../oci/digest.ts";
import { type Entry, parentOf, withParents } from "../tar/entry.ts";
import { byFolder } from "./by-folder.ts";
import type { Collection, SourceFile } from "./collect.ts";
import { cleanPattern, compileIgnore, type IgnoreRules } from "./ignore/ignore.ts";
import { type Claims, claimsOf } from "./python.ts";
import { shardsOf } from "./shards.ts";

/** Files of one layer. */
export interface Group {
  readonly name: string;
  /** Sorted, with all their parent directories. Made anew each time. */
  readonly entries: Iterable<Entry>;
  /** Entries that are not folders. */
  readonly files: number;
  /** Of the files. */
  readonly bytes: number;
  /** As the state of {@link SourceFiles}, of these. */
  readonly state: (seenAt: number) => Digest | undefined;
}

/** A layer cut by hand. `glob` is in .dockerignore syntax. */
export interface SplitRule {
  readonly name: string;
  readonly glob: string;
}

/** Installed by npm or Bundler: of a folder, with a slash at its end. */
const DEPENDENCIES = /(?:^|\/)node_modules\/|^vendor\/bundle\//;
/** Installed by Maven or Gradle, where Lambda's Java runtime looks. */
const JAR = /^lib\/[^/]+\.jar$/;

/**
 * The files as layers, those that change least first: rules by hand in their order, then `deps`, then `app`. None is empty.
 * Many dependencies are several layers, `deps 1` and so on. The first rule that names a file takes it.
 * Depends on names and sizes only, and on what Python packages say of theirs.
 * @throws IGNORE_PATTERN for a glob that means nothing.
 */
export function split(collection: Collection, rules: readonly SplitRule[] = []): readonly Group[] {
  const compiled = rules.map(compileRule);
  const isInstalled = installedIn(collection);
  const named = new Map<string, number[]>(
    [...rules.map(({ name }) => name), DEPS, "app"].map((name) => [name, []]),
  );
  const sizes = new Float64Array(collection.files.length);
  let number = 0;
  for (const file of collection.files) {
    sizes[number] = sizeOf(file);
    named.get(groupOf(file, compiled, isInstalled))?.push(number++);
  }
  return [...named]
    .filter(([, numbers]) => numbers.length > 0)
    .flatMap(([name, numbers]) =>
      name === DEPS ? sharded(numbers, collection) : [{ name, numbers: Uint32Array.from(numbers) }],
    )
    .map((cut) => ({ ...groupOfCut(cut, collection), ...countOf(cut, sizes) }));
}

const FOLDER = -1;

function sizeOf({ entry }: SourceFile): number {
  if (entry.kind === "directory") return FOLDER;
  return entry.kind === "file" ? entry.size : 0;
}

/** By the sizes of all files: to make them all once more takes longer than to remember these. */
function countOf({ numbers }: Cut, sizes: Float64Array): Pick<Group, "files" | "bytes"> {
  let [files, bytes] = [0, 0];
  for (const number of numbers) {
    const size = sizes[number] ?? FOLDER;
    if (size === FOLDER) continue;
    files += 1;
    bytes += size;
  }
  return { files, bytes };
}

const DEPS = "deps";

/** Numbers of files in the collection. */
interface Cut {
  readonly name: string;
  readonly numbers: Uint32Array;
}

function sharded(numbers: readonly number[], { files }: Collection): readonly Cut[] {
  const shards = shardsOf(files, numbers);
  return shards.map((shard, index) => ({
    name: shards.length === 1 ? DEPS : `${DEPS} ${index + 1}`,
    numbers: Uint32Array.from(shard).sort(), // the order of the collection is that of the tar
  }));
}

function groupOfCut(
  { name, numbers }: Cut,
  { files, directoryModes }: Collection,
): Pick<Group, "name" | "entries" | "state"> {
  const entries = function* (): Generator<Entry> {
    for (const number of numbers) {
      const file = files.at(number);
      if (file) yield file.entry;
    }
  };
  return {
    name,
    entries: { [Symbol.iterator]: () => withParents(entries(), directoryModes) },
    state: (seenAt) => files.state?.(seenAt, numbers),
  };
}

interface CompiledRule {
  readonly name: string;
  readonly globs: IgnoreRules;
}

function compileRule({ name, glob }: SplitRule): CompiledRule {
  return { name, globs: compileIgnore([{ pattern: cleanPattern(glob), where: `--layer ${name}` }]) };
}

function groupOf(
  { path }: SourceFile,
  rules: readonly CompiledRule[],
  isInstalled: (path: string) => boolean,
): string {
  const rule = rules.find(({ globs }) => globs.ignores(globs.judge(path)));
  if (rule) return rule.name;
  return isInstalled(path) ? DEPS : "app";
}

/** Tells the files of installed packages from the app's own, by their paths in the source folder. */
export function installedIn({ distributions }: Collection): (path: string) => boolean {
  const { folders, files } = claimsOf(distributions);
  const isIn = byFolder((folder) => DEPENDENCIES.test(`${folder}/`) || isClaimed(folder, folders));
  return (path) => isIn(path) || JAR.test(path) || (files.size > 0 && files.has(path));
}

/** Whether the folder, or one that it is in, is among `folders`. */
function isClaimed(folder: string, folders: Claims["folders"]): boolean {
  for (let path = folder; path !== ""; path = parentOf(path)) if (folders.has(path)) return true;
  return false;
}

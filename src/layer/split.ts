import type { Collection, SourceFile } from "./collect.ts";
import { type Entry, withParents } from "./entry.ts";
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
}

/** A layer cut by hand. `glob` is in .dockerignore syntax. */
export interface SplitRule {
  readonly name: string;
  readonly glob: string;
}

/** Installed by npm, Bundler, Maven or Gradle (`lib` is where Lambda's Java runtime looks). */
const DEPENDENCIES = /(?:^|\/)node_modules\/|^vendor\/bundle\/|^lib\/[^/]+\.jar$/;

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
  let number = 0;
  for (const file of collection.files) named.get(groupOf(file, compiled, isInstalled))?.push(number++);
  return [...named]
    .filter(([, numbers]) => numbers.length > 0)
    .flatMap(([name, numbers]) =>
      name === DEPS ? sharded(numbers, collection) : [{ name, numbers: Uint32Array.from(numbers) }],
    )
    .map((cut) => groupOfCut(cut, collection));
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

function groupOfCut({ name, numbers }: Cut, { files, directoryModes }: Collection): Group {
  const counted = { files: 0, bytes: 0 };
  const entries = function* (): Generator<Entry> {
    for (const number of numbers) {
      const file = files.at(number);
      if (file) yield file.entry;
    }
  };
  for (const entry of entries()) {
    if (entry.kind !== "directory") counted.files += 1;
    if (entry.kind === "file") counted.bytes += entry.size;
  }
  return {
    name,
    entries: { [Symbol.iterator]: () => withParents(entries(), directoryModes) },
    ...counted,
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
  const claims = claimsOf(distributions);
  return (path) => DEPENDENCIES.test(path) || isClaimed(path, claims);
}

function isClaimed(path: string, { folders, files }: Claims): boolean {
  if (files.has(path)) return true;
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
    if (folders.has(path.slice(0, slash))) return true;
  }
  return false;
}

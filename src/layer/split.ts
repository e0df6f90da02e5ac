import type { Collection, SourceFile } from "./collect.ts";
import { type Entry, withParents } from "./entry.ts";
import { cleanPattern, compileIgnore, type IgnoreRules } from "./ignore/ignore.ts";
import { type Claims, claimsOf } from "./python.ts";
import { shardsOf } from "./shards.ts";

/** Files of one layer. */
export interface Group {
  readonly name: string;
  /** Sorted, with all their parent directories. */
  readonly entries: readonly Entry[];
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
  const named = new Map<string, SourceFile[]>(
    [...rules.map(({ name }) => name), DEPS, "app"].map((name) => [name, []]),
  );
  for (const file of collection.files) named.get(groupOf(file, compiled, isInstalled))?.push(file);
  return [...named]
    .filter(([, files]) => files.length > 0)
    .flatMap(([name, files]) => (name === DEPS ? sharded(files) : [{ name, files }]))
    .map(({ name, files }) => ({ name, entries: entriesOf(files, collection) }));
}

const DEPS = "deps";

interface NamedFiles {
  readonly name: string;
  readonly files: readonly SourceFile[];
}

function sharded(files: readonly SourceFile[]): readonly NamedFiles[] {
  const shards = shardsOf(files);
  return shards.map((shard, index) => ({
    name: shards.length === 1 ? DEPS : `${DEPS} ${index + 1}`,
    files: shard,
  }));
}

function entriesOf(files: readonly SourceFile[], { directoryModes }: Collection): readonly Entry[] {
  return withParents(
    files.map(({ entry }) => entry),
    directoryModes,
  );
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

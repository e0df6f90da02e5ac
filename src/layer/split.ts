import { type Entry, sortByName, tarName, withParents } from "../tar/entry.ts";
import type { Collection, SourceFile } from "./collect.ts";
import { cleanPattern, compileIgnore, type IgnoreRules } from "./ignore/ignore.ts";
import { installedIn } from "./packages.ts";
import { shardsOf } from "./shards.ts";

/** Files of one layer. */
export interface Group {
  readonly name: string;
  /** In the order of the tar, each parent directory before its content. */
  readonly entries: readonly Entry[];
  /** Entries that are not directories. */
  readonly files: number;
  /** Bytes of the files. */
  readonly bytes: number;
}

/** A layer that the user defined. `glob` is in .dockerignore syntax. */
export interface SplitRule {
  readonly name: string;
  readonly glob: string;
}

const DEPS = "deps";
const APP = "app";

/**
 * Splits the files into layers, those that change least first: the user's rules in their order,
 * then `deps`, then `app`. Leaves out empty layers. Large dependencies become several layers,
 * `deps 1` and so on. A file goes to the first rule that names it. `isInstalled` decides which
 * files are in `deps`; default: those in the usual directories of package managers. The result
 * depends only on names, sizes and the file lists of Python packages.
 * @throws USAGE for an invalid glob.
 */
export function split(
  collection: Collection,
  rules: readonly SplitRule[] = [],
  isInstalled: (path: string) => boolean = installedIn(collection),
): readonly Group[] {
  const compiled = rules.map(compileRule);
  const names = [...rules.map(({ name }) => name), DEPS, APP];
  const named = new Map<string, SourceFile[]>(names.map((name) => [name, []]));
  for (const file of collection.files) named.get(layerOf(file, compiled, isInstalled))?.push(file);
  return [...named]
    .filter(([, files]) => files.length > 0)
    .flatMap(([name, files]) => (name === DEPS ? shards(files) : [{ name, files }]))
    .map((cut) => groupOf(cut, collection));
}

/** Files that go into one layer. */
export interface Cut {
  readonly name: string;
  readonly files: readonly SourceFile[];
}

function shards(files: readonly SourceFile[]): readonly Cut[] {
  const cuts = shardsOf(files);
  if (cuts.length === 1) return [{ name: DEPS, files }];
  return cuts.map((cut, index) => ({
    name: `${DEPS} ${index + 1}`,
    files: sortByName(cut, ({ entry }) => tarName(entry)),
  }));
}

/** Returns the layer of these files, with their parent directories. */
export function groupOf({ name, files }: Cut, { directoryModes }: Pick<Collection, "directoryModes">): Group {
  const own = files.map(({ entry }) => entry);
  return {
    name,
    entries: [...withParents(own, directoryModes)],
    files: own.filter(({ kind }) => kind !== "directory").length,
    bytes: own.reduce((sum, entry) => sum + (entry.kind === "file" ? entry.size : 0), 0),
  };
}

interface CompiledRule {
  readonly name: string;
  readonly globs: IgnoreRules;
}

function compileRule({ name, glob }: SplitRule): CompiledRule {
  return { name, globs: compileIgnore([{ pattern: cleanPattern(glob), where: `--layer ${name}` }]) };
}

function layerOf(
  { path }: SourceFile,
  rules: readonly CompiledRule[],
  isInstalled: (path: string) => boolean,
): string {
  const rule = rules.find(({ globs }) => globs.ignores(globs.judge(path)));
  if (rule) return rule.name;
  return isInstalled(path) ? DEPS : APP;
}

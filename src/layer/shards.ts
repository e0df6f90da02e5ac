import { sortByName } from "../tar/entry.ts";
import { tarBytes } from "../tar/header.ts";
import { byFolder } from "./by-folder.ts";
import type { SourceFile } from "./file-table.ts";
import { packageOf } from "./packages.ts";
import type { Sequence } from "./sequence.ts";

/** Up to here one layer is as good: it is packed in a fifth of a second. Bytes of a tar. */
const SMALL = 32 * 1024 * 1024;
/** Bytes of a tar in a layer, on the average. */
const TARGET = 16 * 1024 * 1024;
/** Lambda has no limit of its own, but 127 layers are the most that overlayfs takes, and the base and the app need theirs. */
const MOST = 48;

/** What stays together: a package, or one file of a giant. Files by their numbers. */
interface Unit {
  readonly name: string;
  readonly numbers: number[];
  /** In a tar. */
  bytes: number;
  /** By path: as files are in a collection, but for empty folders and for letters that UTF-16 sorts otherwise. */
  isSorted: boolean;
  /** The path of the last of the files. */
  last: string;
}

function unitNamed(name: string): Unit {
  return { name, numbers: [], bytes: 0, isSorted: true, last: "" };
}

/**
 * The files of installed packages, cut into layers so that one package that changes, comes or goes moves one layer, at most two.
 * In the order of the packages' names a layer ends behind a package by chance: that of the package's name, which never changes, in proportion to
 * its size. So each cut depends on one package alone (content-defined chunking, as restic and casync do it, with names for contents).
 * A package as large as a layer shares none with others; a giant is cut among its files in the same way.
 */
export function shardsOf(
  files: Sequence<SourceFile>,
  numbers: readonly number[],
): readonly (readonly number[])[] {
  const packages = unitsOf(files, numbers, packageNames());
  if (packages.reduce((bytes, one) => bytes + one.bytes, 0) <= SMALL) return [numbers];
  // Twice the size keeps half of the cuts: what is not cut any more is joined, nothing else moves.
  for (let target = TARGET; ; target *= 2) {
    const shards = cutAll(files, packages, target);
    if (shards.length <= MOST) return shards;
  }
}

/** Where files side by side may be of several packages. */
const SHARED = /^[^/]*$|(?:^|\/)(?:node_modules|@[^/]*|site-packages|specifications)$/;

function packageNames(): (file: SourceFile) => string {
  const known = new Map<string, string>();
  const nameIn = byFolder((folder, path) => {
    if (SHARED.test(folder)) return undefined;
    const name = known.get(folder) ?? packageOf(path);
    known.set(folder, name);
    return name;
  });
  return ({ path }) => nameIn(path) ?? packageOf(path);
}

function unitsOf(
  files: Sequence<SourceFile>,
  numbers: readonly number[],
  nameOf: (file: SourceFile) => string,
): readonly Unit[] {
  const units = new Map<string, Unit>();
  for (const number of numbers) {
    const file = files.at(number);
    if (!file) continue;
    const name = nameOf(file);
    const unit = units.get(name) ?? unitNamed(name);
    units.set(name, unit);
    unit.numbers.push(number);
    unit.bytes += tarBytes(file.entry);
    unit.isSorted &&= unit.last <= file.path && !/[\ud800-\udfff]/.test(file.path);
    unit.last = file.path;
  }
  return sortByName(units.values(), ({ name }) => name);
}

type Shard = readonly number[];

function cutAll(files: Sequence<SourceFile>, packages: readonly Unit[], target: number): readonly Shard[] {
  const shards: Shard[] = [];
  let others: Unit[] = [];
  for (const one of packages) {
    if (one.bytes < target) others.push(one);
    else {
      shards.push(...cut(others, target), ...cutGiant(files, one, target));
      others = [];
    }
  }
  return [...shards, ...cut(others, target)];
}

function cutGiant(files: Sequence<SourceFile>, giant: Unit, target: number): readonly Shard[] {
  return giant.bytes < 2 * target ? [giant.numbers] : cut(eachOf(files, giant), target);
}

/** Each file for itself, by path; made one after the other, since a giant may have a million. */
function* eachOf(files: Sequence<SourceFile>, { numbers, isSorted }: Unit): Generator<Unit> {
  const sorted = isSorted ? numbers : sortByName(numbers, (number) => files.at(number)?.path ?? "");
  for (const number of sorted) {
    const file = files.at(number);
    if (file) yield { ...unitNamed(file.path), numbers: [number], bytes: tarBytes(file.entry) };
  }
}

function cut(units: Iterable<Unit>, target: number): readonly Shard[] {
  const shards: number[][] = [];
  let isOpen = false;
  for (const unit of units) {
    if (!isOpen) shards.push([]);
    for (const number of unit.numbers) shards.at(-1)?.push(number);
    isOpen = chanceOf(unit.name) >= unit.bytes / target;
  }
  return shards;
}

/** From 0 to 1, as if by chance and always the same (FNV-1a, 32 bits, with the finish of MurmurHash3: short names fill the range). */
function chanceOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

import { parentOf, sortByName } from "../tar/entry.ts";
import { tarBytes } from "../tar/write-header.ts";
import type { SourceFile } from "./collect.ts";
import { packageOf } from "./packages.ts";

/** In bytes of tar. Smaller dependencies stay in one layer, which is packed in 0.2 seconds. */
const SMALL = 32 * 1024 * 1024;
/** In bytes of tar: the average size of a layer. */
const TARGET = 16 * 1024 * 1024;
/**
 * Lambda states no limit, but overlayfs takes at most 127 layers, and the base and the app need
 * some of them.
 */
const MAX_LAYERS = 48;

/** Files that stay together: a package, or one file of a very large package. */
interface Unit {
  readonly name: string;
  readonly files: readonly SourceFile[];
  /** In the tar. */
  readonly bytes: number;
}

type Shard = readonly SourceFile[];

/**
 * Splits the files of installed packages into layers so that changing, adding or removing one
 * package changes one layer, at most two. Packages are in the order of their names, and a layer
 * ends after a package with a probability proportional to its size, decided by a hash of its name.
 * So each boundary depends on one package alone (content-defined chunking, as in restic and casync,
 * with names instead of contents). A package as large as a layer shares none with others; a very
 * large one is split among its files in the same way.
 */
export function shardsOf(files: readonly SourceFile[]): readonly Shard[] {
  const packages = packagesOf(files);
  if (packages.reduce((bytes, one) => bytes + one.bytes, 0) <= SMALL) return [files];
  // Twice the size keeps half of the boundaries: layers are joined, and no file moves otherwise.
  for (let target = TARGET; ; target *= 2) {
    const shards = cutAll(packages, target);
    if (shards.length <= MAX_LAYERS) return shards;
  }
}

/** Directories in which files side by side may belong to several packages. */
const SHARED = /^[^/]*$|(?:^|\/)(?:node_modules|@[^/]*|site-packages|specifications)$/;

function packagesOf(files: readonly SourceFile[]): readonly Unit[] {
  const names = new Map<string, string>();
  const nameOf = (path: string): string => {
    const directory = parentOf(path);
    if (SHARED.test(directory)) return packageOf(path);
    const name = names.get(directory) ?? packageOf(path);
    names.set(directory, name);
    return name;
  };
  const packages = new Map<string, SourceFile[]>();
  for (const file of files) {
    const name = nameOf(file.path);
    const known = packages.get(name);
    if (known) known.push(file);
    else packages.set(name, [file]);
  }
  const units = [...packages].map(([name, own]) => ({ name, files: own, bytes: bytesOf(own) }));
  return sortByName(units, ({ name }) => name);
}

function bytesOf(files: readonly SourceFile[]): number {
  return files.reduce((sum, { entry }) => sum + tarBytes(entry), 0);
}

function cutAll(packages: readonly Unit[], target: number): readonly Shard[] {
  const shards: Shard[] = [];
  let others: Unit[] = [];
  for (const one of packages) {
    if (one.bytes < target) others.push(one);
    else {
      shards.push(...cut(others, target), ...cutGiant(one, target));
      others = [];
    }
  }
  return [...shards, ...cut(others, target)];
}

function cutGiant({ files, bytes }: Unit, target: number): readonly Shard[] {
  if (bytes < 2 * target) return [files];
  const units = files.map((file) => ({ name: file.path, files: [file], bytes: tarBytes(file.entry) }));
  return cut(
    sortByName(units, ({ name }) => name),
    target,
  );
}

function cut(units: readonly Unit[], target: number): readonly Shard[] {
  const shards: SourceFile[][] = [];
  let isOpen = false;
  for (const unit of units) {
    if (!isOpen) shards.push([]);
    for (const file of unit.files) shards.at(-1)?.push(file);
    isOpen = chanceOf(unit.name) >= unit.bytes / target;
  }
  return shards;
}

/**
 * Maps a name to a number from 0 to 1 that looks random and is always the same (FNV-1a, 32 bits,
 * with the finalizer of MurmurHash3, so that short names fill the range).
 */
function chanceOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

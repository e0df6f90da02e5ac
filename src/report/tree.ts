import { visible } from "./html.ts";

/** A file: name, size in bytes, index of its layer. */
export type FileEntry = readonly [name: string, size: number, layer: number];
type DirectoryEntry = readonly [name: string, children: TreeEntry[]];
/** Files that are not listed individually: their number and size. */
export type RestEntry = readonly [count: number, size: number];

/** An entry of a directory, in the format that the page's script reads. */
export type TreeEntry = FileEntry | DirectoryEntry | RestEntry;

interface File {
  readonly path: string;
  readonly size: number;
  readonly layer: number;
}

interface TreeOptions {
  /** Files that `files` does not contain. */
  readonly omitted: { readonly files: number; readonly bytes: number };
  /** The maximum number of characters for the tree as JSON. */
  readonly budget: number;
}

/** The characters for brackets, quotes, commas, the layer and a size of six digits. */
const OVERHEAD = 16;

interface Directory {
  readonly children: TreeEntry[];
  readonly directories: Map<string, Directory>;
  readonly rest: { files: number; bytes: number };
}

/**
 * Returns the content of the root directory. `files` must be sorted, largest first: those beyond
 * the budget are added to the sum of their nearest listed directory.
 */
export function treeOf(files: readonly File[], { omitted, budget }: TreeOptions): readonly TreeEntry[] {
  const root = emptyDirectory();
  root.rest.files = omitted.files;
  root.rest.bytes = omitted.bytes;
  let used = 0;
  for (const { path, size, layer } of files) {
    const names = namesOf(path);
    const cost = costOf(root, names);
    if (used + cost > budget) addToRest(root, names, size);
    else {
      used += cost;
      directoryOf(root, names).children.push([names.at(-1) ?? "", size, layer]);
    }
  }
  return withRests(root);
}

/** Deeper paths become one long name, because JSON parsers limit the nesting. */
const DEEPEST = 64;

function namesOf(path: string): readonly string[] {
  const names = path.split("/").map(visible);
  return names.length <= DEEPEST
    ? names
    : [...names.slice(0, DEEPEST - 1), names.slice(DEEPEST - 1).join("/")];
}

function emptyDirectory(): Directory {
  return { children: [], directories: new Map(), rest: { files: 0, bytes: 0 } };
}

/** Returns the characters of JSON for a file and for the directories that only it needs. */
function costOf(root: Directory, names: readonly string[]): number {
  let directory: Directory | undefined = root;
  let cost = 0;
  for (const [index, name] of names.entries()) {
    directory = index < names.length - 1 ? directory?.directories.get(name) : undefined;
    if (!directory) cost += JSON.stringify(name).length + OVERHEAD;
  }
  return cost;
}

function directoryOf(root: Directory, names: readonly string[]): Directory {
  let directory = root;
  for (const name of names.slice(0, -1)) {
    const inner = directory.directories.get(name) ?? emptyDirectory();
    if (!directory.directories.has(name)) {
      directory.directories.set(name, inner);
      directory.children.push([name, inner.children]);
    }
    directory = inner;
  }
  return directory;
}

function addToRest(root: Directory, names: readonly string[], size: number): void {
  let directory = root;
  for (const name of names.slice(0, -1)) {
    const inner = directory.directories.get(name);
    if (!inner) break;
    directory = inner;
  }
  directory.rest.files += 1;
  directory.rest.bytes += size;
}

/** Adds an entry to each directory for the files that are not listed. */
function withRests(root: Directory): readonly TreeEntry[] {
  const pending = [root];
  for (let directory = pending.pop(); directory; directory = pending.pop()) {
    const { files, bytes } = directory.rest;
    if (files > 0) directory.children.push([files, bytes]);
    pending.push(...directory.directories.values());
  }
  return root.children;
}

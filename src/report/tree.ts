import { visible } from "./html.ts";

/** A file: its name, size and layer. */
type FileNode = readonly [name: string, size: number, layer: number];
/** A folder: its name and what is in it. */
type FolderNode = readonly [name: string, children: TreeNode[]];
/** Files that are too many to be named: how many, and their bytes. */
type RestNode = readonly [count: number, size: number];

/** A folder of the image as the page's script reads it. */
export type TreeNode = FileNode | FolderNode | RestNode;

interface File {
  readonly path: string;
  readonly size: number;
  readonly layer: number;
}

export interface TreeOptions {
  /** Files that are not in the list. */
  readonly omitted: { readonly files: number; readonly bytes: number };
  /** Characters of JSON that the tree may take. */
  readonly budget: number;
}

/** Brackets, quotes, commas, the layer and a size of six digits. */
const OVERHEAD = 16;

interface Folder {
  readonly children: TreeNode[];
  readonly folders: Map<string, Folder>;
  readonly rest: { files: number; bytes: number };
}

/** The root folder's content. `files` should come largest first: those for which there is no room are summed up in the nearest folder that is there. */
export function treeOf(files: readonly File[], { omitted, budget }: TreeOptions): readonly TreeNode[] {
  const root = emptyFolder();
  root.rest.files = omitted.files;
  root.rest.bytes = omitted.bytes;
  let used = 0;
  for (const { path, size, layer } of files) {
    const names = namesOf(path);
    const cost = costOf(root, names);
    if (used + cost > budget) addToRest(root, names, size);
    else {
      used += cost;
      folderOf(root, names).children.push([names.at(-1) ?? "", size, layer]);
    }
  }
  return closed(root);
}

/** What lies deeper is one long name: nobody zooms as far, and JSON does not nest without end. */
const DEEPEST = 64;

function namesOf(path: string): readonly string[] {
  const names = path.split("/").map(visible);
  return names.length <= DEEPEST
    ? names
    : [...names.slice(0, DEEPEST - 1), names.slice(DEEPEST - 1).join("/")];
}

function emptyFolder(): Folder {
  return { children: [], folders: new Map(), rest: { files: 0, bytes: 0 } };
}

/** The file's name, and those of the folders that are there only because of it. */
function costOf(root: Folder, names: readonly string[]): number {
  let folder: Folder | undefined = root;
  let cost = 0;
  for (const [index, name] of names.entries()) {
    folder = index < names.length - 1 ? folder?.folders.get(name) : undefined;
    if (!folder) cost += JSON.stringify(name).length + OVERHEAD;
  }
  return cost;
}

function folderOf(root: Folder, names: readonly string[]): Folder {
  let folder = root;
  for (const name of names.slice(0, -1)) {
    const inner = folder.folders.get(name) ?? emptyFolder();
    if (!folder.folders.has(name)) {
      folder.folders.set(name, inner);
      folder.children.push([name, inner.children]);
    }
    folder = inner;
  }
  return folder;
}

function addToRest(root: Folder, names: readonly string[], size: number): void {
  let folder = root;
  for (const name of names.slice(0, -1)) {
    const inner = folder.folders.get(name);
    if (!inner) break;
    folder = inner;
  }
  folder.rest.files += 1;
  folder.rest.bytes += size;
}

/** Without recursion: a path may have a thousand folders. */
function closed(root: Folder): readonly TreeNode[] {
  const pending = [root];
  for (let folder = pending.pop(); folder; folder = pending.pop()) {
    const { files, bytes } = folder.rest;
    if (files > 0) folder.children.push([files, bytes]);
    pending.push(...folder.folders.values());
  }
  return root.children;
}

import { formatCount } from "../format.ts";
import type { FileEntry, RestEntry, TreeEntry } from "../tree.ts";

interface Common {
  readonly name: string;
  size: number;
  files: number;
  /** The index of the layer; for a directory, that of its largest child. */
  layer: number;
}

export interface FileNode extends Common {
  readonly kind: "file";
  readonly path: string;
  readonly parent: DirectoryNode;
}

export interface DirectoryNode extends Common {
  readonly kind: "directory";
  /** Empty for the root. */
  readonly path: string;
  readonly parent: DirectoryNode | undefined;
  /** The largest first. */
  readonly children: PageNode[];
}

/** The files of a directory that are not listed individually. */
export interface RestNode extends Common {
  readonly kind: "rest";
  readonly parent: DirectoryNode;
}

/** The content of one cell on the map. */
export type PageNode = FileNode | DirectoryNode | RestNode;

/** Builds the tree from the JSON in the page; adds sizes, counts, paths and parents. */
export function growTree(entries: readonly TreeEntry[], name = "", parent?: DirectoryNode): DirectoryNode {
  const path = parent ? `${parent.path}/${name}` : "";
  const directory: DirectoryNode = {
    kind: "directory",
    name,
    path,
    parent,
    children: [],
    size: 0,
    files: 0,
    layer: 0,
  };
  for (const entry of entries) {
    const child = nodeOf(directory, entry);
    directory.children.push(child);
    directory.size += child.size;
    directory.files += child.files;
  }
  directory.children.sort((a, b) => b.size - a.size);
  directory.layer = directory.children[0]?.layer ?? 0;
  return directory;
}

function nodeOf(parent: DirectoryNode, entry: TreeEntry): PageNode {
  if (isRest(entry)) {
    const [files, size] = entry;
    return { kind: "rest", name: formatCount(files, "smaller file"), size, files, layer: 0, parent };
  }
  if (isFile(entry)) {
    const [name, size, layer] = entry;
    return { kind: "file", name, path: `${parent.path}/${name}`, size, files: 1, layer, parent };
  }
  const [name, children] = entry;
  return growTree(children, name, parent);
}

function isRest(entry: TreeEntry): entry is RestEntry {
  return typeof entry[0] === "number";
}

function isFile(entry: TreeEntry): entry is FileEntry {
  return entry.length === 3;
}

/** Returns all files that are listed individually, largest first. */
export function allFiles(root: DirectoryNode): readonly FileNode[] {
  const found: FileNode[] = [];
  const collect = (directory: DirectoryNode): void => {
    for (const child of directory.children) {
      if (child.kind === "file") found.push(child);
      else if (child.kind === "directory") collect(child);
    }
  };
  collect(root);
  return found.sort((a, b) => b.size - a.size);
}

const searchedPaths = new WeakMap<FileNode, string>();

/** Returns the files whose paths contain every word of `text`, ignoring case. */
export function searchFiles(files: readonly FileNode[], text: string): readonly FileNode[] {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0) return [];
  return files.filter((file) => {
    const path = searchedPaths.get(file) ?? file.path.toLowerCase();
    searchedPaths.set(file, path);
    return words.every((word) => path.includes(word));
  });
}

/** Returns `node` or its ancestor that is a child of `directory`; undefined: neither is. */
export function childTowards(node: PageNode, directory: DirectoryNode): PageNode | undefined {
  let at: PageNode | undefined = node;
  while (at && at.parent !== directory) at = at.parent;
  return at;
}

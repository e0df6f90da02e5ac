import { closeSync, openSync, readSync } from "node:fs";
import type { FileEntry, SymlinkEntry } from "../tar/entry.ts";

/** Files to copy from: the build context, an earlier stage, or an image. Paths are relative and '/'-separated; the root is "". */
export interface FileTree {
  /** undefined: nothing is there, or an ignore file leaves it out. Does not follow a symlink at the end of the path. */
  find(path: string): TreeNode | undefined;
  /** The names in a directory, in any order. */
  namesIn(path: string): Iterable<string>;
}

interface Installed {
  /** true: a package manager has put it there. */
  readonly installed?: boolean;
}

export type TreeNode =
  | (Omit<FileEntry, "path"> & Installed)
  | (Omit<SymlinkEntry, "path"> & Installed)
  | {
      readonly kind: "directory";
      /** false: it is only on the way to something that an exception (`!`) brings back. */
      readonly kept: boolean;
    }
  /** A socket, a FIFO or a device. */
  | { readonly kind: "other" };

/** Files by path, with the directories above them. */
export class MemoryTree implements FileTree {
  readonly #nodes = new Map<string, TreeNode>([["", { kind: "directory", kept: true }]]);
  readonly #names = new Map<string, Set<string>>();

  constructor(from?: MemoryTree) {
    for (const [path, node] of from?.nodes() ?? []) this.put(path, node);
  }

  find(path: string): TreeNode | undefined {
    return this.#nodes.get(path);
  }

  namesIn(path: string): Iterable<string> {
    return this.#names.get(path) ?? [];
  }

  /** All nodes but the root, in the order in which they were added. */
  *nodes(): Generator<readonly [path: string, node: TreeNode]> {
    for (const entry of this.#nodes) if (entry[0] !== "") yield entry;
  }

  /** Replaces what is there. Directories above that are missing are added. */
  put(path: string, node: TreeNode): void {
    const at = path.lastIndexOf("/");
    const parent = at < 0 ? "" : path.slice(0, at);
    if (!this.#nodes.has(parent)) this.put(parent, { kind: "directory", kept: true });
    const names = this.#names.get(parent) ?? new Set();
    names.add(path.slice(at + 1));
    this.#names.set(parent, names);
    this.#nodes.set(path, node);
  }

  /** Removes what is there with everything below it. */
  remove(path: string): void {
    for (const name of [...this.namesIn(path)]) this.remove(`${path}/${name}`);
    const at = path.lastIndexOf("/");
    this.#names.get(at < 0 ? "" : path.slice(0, at))?.delete(path.slice(at + 1));
    this.#names.delete(path);
    this.#nodes.delete(path);
  }
}

/** gzip, bzip2, xz and zstd, each by its first bytes. */
const COMPRESSED = ["1f8b", "425a68", "fd377a585a00", "28b52ffd"];
const USTAR_AT = 257;

/** Whether ADD would unpack the file: a tar archive, compressed or not. */
export function isArchive(source: string): boolean {
  const head = Buffer.alloc(USTAR_AT + 5);
  const file = openSync(source, "r");
  try {
    const start = head.subarray(0, readSync(file, head, 0, head.length, 0));
    return (
      COMPRESSED.some((magic) => start.toString("hex").startsWith(magic)) ||
      start.subarray(USTAR_AT).toString("latin1") === "ustar"
    );
  } finally {
    closeSync(file);
  }
}

import { closeSync, openSync, readSync } from "node:fs";
import { posix } from "node:path";
import { LambdaPackError } from "../errors.ts";
import type { IgnoreRules } from "../layer/ignore/ignore.ts";
import { isNever } from "../layer/ignore/never.ts";
import { toEntry } from "../layer/to-entry.ts";
import { type Found, walk } from "../layer/walk.ts";
import type { ExtractedFiles } from "../rootfs/unpack/extract-files.ts";
import type { ViewEntry } from "../rootfs/view/path-tree.ts";
import type { FileEntry, SymlinkEntry } from "../tar/entry.ts";

/**
 * A source for COPY: the build context, an earlier stage, or an image. Paths are relative with `/`
 * as separator; the root is "".
 */
export interface FileTree {
  /**
   * Returns undefined if there is nothing, or if an ignore file excludes it. Does not follow a
   * symlink at the end of the path.
   */
  find(path: string): TreeNode | undefined;
  /** Lists the names in a directory, in any order. */
  namesIn(path: string): Iterable<string>;
}

interface Installed {
  /** true: a package manager installed it. */
  readonly installed?: boolean;
}

export type TreeNode =
  | (Omit<FileEntry, "path"> & Installed)
  | (Omit<SymlinkEntry, "path"> & Installed)
  | {
      readonly kind: "directory";
      /**
       * false: excluded itself, and present only because an exception (`!`) keeps something in it.
       */
      readonly kept: boolean;
    }
  /** A socket, a FIFO or a device. */
  | { readonly kind: "other" };

/** Files by path, with their parent directories. */
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

  /** Yields all nodes except the root, in the order in which they were added. */
  *nodes(): Generator<readonly [path: string, node: TreeNode]> {
    for (const entry of this.#nodes) if (entry[0] !== "") yield entry;
  }

  /** Adds or replaces a node. Creates missing parent directories. */
  put(path: string, node: TreeNode): void {
    const at = path.lastIndexOf("/");
    const parent = at < 0 ? "" : path.slice(0, at);
    if (!this.#nodes.has(parent)) this.put(parent, { kind: "directory", kept: true });
    const names = this.#names.get(parent) ?? new Set();
    names.add(path.slice(at + 1));
    this.#names.set(parent, names);
    this.#nodes.set(path, node);
  }

  /** Removes a node and everything below it. */
  remove(path: string): void {
    for (const name of [...this.namesIn(path)]) this.remove(`${path}/${name}`);
    const at = path.lastIndexOf("/");
    this.#names.get(at < 0 ? "" : path.slice(0, at))?.delete(path.slice(at + 1));
    this.#names.delete(path);
    this.#nodes.delete(path);
  }
}

/** The magic numbers of gzip, bzip2, xz and zstd. */
const COMPRESSED = ["1f8b", "425a68", "fd377a585a00", "28b52ffd"];
const USTAR_AT = 257;

/** Returns whether ADD would unpack the file: a tar archive, compressed or not. */
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

interface ContextOptions {
  /** The real path of the build context. */
  readonly root: string;
  readonly ignore: IgnoreRules;
  /** Returns whether the file is written by lambda-pack itself. */
  readonly isAlwaysExcluded: (path: string) => boolean;
  /** The sources of COPY as written; only files that they can match are read. */
  readonly sources: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/**
 * Lists the files of the build context that COPY can match, according to the ignore rules. Opens
 * none of them.
 * @throws FILE_NAME, FILE_UNREADABLE, FILE_CHANGED that name the path
 */
export function readContext(options: ContextOptions): MemoryTree {
  const prefixes = options.sources.map(literalPrefix);
  const tree = readPart(options, prefixes);
  // A link given as source can point to any other part.
  const isLink = (path: string) => tree.find(path)?.kind === "symlink";
  return prefixes.some((prefix) => prefix !== "" && isLink(prefix)) ? readPart(options, [""]) : tree;
}

function readPart(
  { root, ignore, isAlwaysExcluded, signal }: ContextOptions,
  prefixes: readonly string[],
): MemoryTree {
  const tree = new MemoryTree();
  const isWanted = (path: string) =>
    prefixes.some(
      (prefix) =>
        prefix === "" || path === prefix || path.startsWith(`${prefix}/`) || prefix.startsWith(`${path}/`),
    );
  const found = walk(root, {
    ignore,
    isAlwaysExcluded: (path) => isNever(path) || isAlwaysExcluded(path) || !isWanted(path),
  });
  for (const one of found) {
    tree.put(one.path, nodeOf(one));
    signal?.throwIfAborted();
  }
  return tree;
}

/** Returns the complete names of a pattern before its first wildcard: `src` of `src/*.py`. */
export function literalPrefix(source: string): string {
  const names = posix.resolve("/", source).slice(1).split("/");
  const wild = names.findIndex((name) => /[*?[\\]/.test(name));
  return (wild < 0 ? names : names.slice(0, wild)).join("/");
}

function nodeOf(found: Found): TreeNode {
  const { stats, isKept, path } = found;
  if (stats.isDirectory()) return { kind: "directory", kept: isKept };
  if (!stats.isFile() && !stats.isSymbolicLink()) return { kind: "other" };
  const entry = toEntry(found, { path, modes: new Map(), platform: process.platform });
  return entry.kind === "directory" ? { kind: "directory", kept: isKept } : entry;
}

/**
 * Returns the files of an image as a tree for COPY. Links in the directories of a path are
 * followed; one at its end is not.
 */
export function imageTree({ view, contentOf }: ExtractedFiles, reference: string): FileTree {
  // A hard link has the mode of its file; the mode in its own entry is ignored.
  const fileMode = ({ kind, path, mode }: Pick<ViewEntry, "kind" | "path" | "mode">) =>
    kind === "hardlink" ? (view.resolve(path)?.mode ?? mode) : mode;
  const nodeOf = ({ kind, path, mode, link }: ViewEntry): TreeNode => {
    if (kind === "directory") return { kind, kept: true };
    if (kind === "symlink") return { kind, target: link };
    if (kind !== "file" && kind !== "hardlink") return { kind: "other" };
    const content = contentOf(path);
    if (!content) throw unavailable(reference, path);
    return { kind: "file", mode: (fileMode({ kind, path, mode }) & 0o100) === 0 ? 0o644 : 0o755, ...content };
  };
  return {
    find(path) {
      const real = realPath(view, path);
      const entry = real === undefined ? undefined : (view.get(real) ?? view.resolve(real));
      return entry && nodeOf(entry);
    },
    namesIn(path) {
      return view.list(realPath(view, path) ?? path);
    },
  };
}

/** Resolves the links in the directories of a path. */
function realPath(view: ExtractedFiles["view"], path: string): string | undefined {
  const at = path.lastIndexOf("/");
  if (at < 0) return path;
  const parent = view.resolve(path.slice(0, at));
  return parent && (parent.path === "" ? path.slice(at + 1) : `${parent.path}/${path.slice(at + 1)}`);
}

function unavailable(reference: string, path: string): LambdaPackError {
  const message = `COPY --from=${reference}: ${path} is a link to a file that was not read`;
  return new LambdaPackError("DOCKERFILE_REFUSED", message, { hint: "name the file that the link means" });
}

import {
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
} from "node:fs";
import { posix } from "node:path";
import { hasCode } from "../errors.ts";
import type { IgnoreRules } from "../layer/ignore/ignore.ts";
import { isNever } from "../layer/ignore/never.ts";
import { pathWithin } from "../layer/places.ts";

/** Files to copy from: the build context, an earlier stage, or an image. Paths are relative and '/'-separated; the root is "". */
export interface FileTree {
  /** undefined: nothing is there, or an ignore file leaves it out. Does not follow a symlink at the end of the path. */
  find(path: string): TreeNode | undefined;
  /** The names in a directory, in any order. */
  namesIn(path: string): readonly string[];
}

export type TreeNode =
  | { readonly kind: "file"; readonly executable: boolean; readonly size: number; readonly source: string }
  | {
      readonly kind: "directory";
      /** false: it is only on the way to something that an exception (`!`) brings back. */
      readonly kept: boolean;
    }
  | { readonly kind: "symlink"; readonly target: string }
  /** A socket, a FIFO or a device. */
  | { readonly kind: "other" };

/**
 * The build context on disk, seen through its ignore rules.
 * @param root its real path.
 */
export function contextTree(root: string, ignore: IgnoreRules): FileTree {
  const isInside = insideOf(root);
  return {
    find(path) {
      if (path === "") return { kind: "directory", kept: true };
      return isLeftOut(path) || !isInside(path) ? undefined : findIn(root, path, ignore);
    },
    namesIn: (path) => readdirSync(posix.join(root, path)),
  };
}

/** Whether the path or a directory above it never goes into an image. */
function isLeftOut(path: string): boolean {
  const names = path.split("/");
  return names.some((_, index) => isNever(names.slice(0, index + 1).join("/")));
}

function findIn(root: string, path: string, ignore: IgnoreRules): TreeNode | undefined {
  const verdict = ignore.judge(path);
  const kept = !ignore.ignores(verdict);
  if (!kept && !ignore.mayBringBack(path, verdict)) return undefined;
  const source = posix.join(root, path);
  const stats = statsOf(source);
  if (stats?.isDirectory()) return { kind: "directory", kept };
  return kept && stats ? nodeOf(source, stats) : undefined;
}

/** A link on the way may lead out of the context; each directory is looked at once. */
function insideOf(root: string): (path: string) => boolean {
  const known = new Map([[".", true]]);
  return (path) => {
    const parent = posix.dirname(path);
    const inside = known.get(parent) ?? isRealPathIn(root, posix.join(root, parent));
    known.set(parent, inside);
    return inside;
  };
}

function isRealPathIn(root: string, path: string): boolean {
  try {
    const real = realpathSync(path);
    return real === root || pathWithin(root, real) !== undefined;
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR", "ELOOP")) return false;
    throw error;
  }
}

function statsOf(source: string): Stats | undefined {
  try {
    return lstatSync(source);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

function nodeOf(source: string, stats: Stats): TreeNode {
  if (stats.isSymbolicLink()) return { kind: "symlink", target: readlinkSync(source) };
  if (!stats.isFile()) return { kind: "other" };
  return { kind: "file", executable: (stats.mode & 0o100) !== 0, size: stats.size, source };
}

/** gzip, bzip2, xz and zstd, each by its first bytes. */
const COMPRESSED = ["1f8b", "425a68", "fd377a585a00", "28b52ffd"];
const USTAR_AT = 257;

/** Whether ADD would unpack the file: a tar archive, compressed or not. */
export function isArchive(source: string): boolean {
  const head = Buffer.alloc(USTAR_AT + 5);
  const file = openSync(source, "r");
  try {
    const length = readSync(file, head, 0, head.length, 0);
    const start = head.subarray(0, length);
    return (
      COMPRESSED.some((magic) => start.toString("hex").startsWith(magic)) ||
      start.subarray(USTAR_AT).toString("latin1") === "ustar"
    );
  } finally {
    closeSync(file);
  }
}

import { posix } from "node:path";
import type { IgnoreRules } from "../layer/ignore/ignore.ts";
import { isNever } from "../layer/ignore/never.ts";
import { toEntry } from "../layer/to-entry.ts";
import { type Found, walk } from "../layer/walk.ts";
import { MemoryTree, type TreeNode } from "./tree.ts";

interface ContextOptions {
  /** The real path of the build context. */
  readonly root: string;
  readonly ignore: IgnoreRules;
  /** What lambda-pack itself writes. */
  readonly leavesOut: (path: string) => boolean;
  /** Sources of COPY, as written: only what they can mean is looked at. */
  readonly sources: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/**
 * Reads the names of the files in the build context that COPY may take, through its ignore rules. Opens none of them.
 * @throws FILE_NAME, FILE_UNREADABLE, FILE_CHANGED naming the path.
 */
export function readContext(options: ContextOptions): MemoryTree {
  const prefixes = options.sources.map(literalPrefix);
  const tree = readPart(options, prefixes);
  // A link that a source names may lead to any other part.
  const isLink = (path: string) => tree.find(path)?.kind === "symlink";
  return prefixes.some((prefix) => prefix !== "" && isLink(prefix)) ? readPart(options, [""]) : tree;
}

function readPart(
  { root, ignore, leavesOut, signal }: ContextOptions,
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
    leavesOut: (path) => isNever(path) || leavesOut(path) || !isWanted(path),
  });
  for (const one of found) {
    tree.put(one.path, nodeOf(one));
    signal?.throwIfAborted();
  }
  return tree;
}

/** The part of a pattern before its first wildcard, whole names only: `src` of `src/*.py`. */
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

import { setImmediate as yieldToEventLoop } from "node:timers/promises";
import type { ViewEntry } from "../rootfs/view/merged-view.ts";
import { type ImageFacts, ownDirectories, taskRoot, within } from "./facts.ts";
import { FirstNames, type Problem, type Problems } from "./rule.ts";

/** A directory of the image; all its entries share one object, so that a rule can judge it once. */
export interface VisitedDirectory {
  /** Empty for the root. */
  readonly path: string;
  /** Relative to the task root, with a trailing slash; empty for it, undefined outside. */
  readonly inside: string | undefined;
  /** Whether everything in it belongs to the app: see `isOwnPath`. */
  readonly isOwn: boolean;
}

/** An entry of the image's file system. */
export interface VisitedFile extends ViewEntry {
  /** The last part of the path. */
  readonly name: string;
  readonly directory: VisitedDirectory;
  /** Whether it belongs to the app: see `isOwnPath`. */
  readonly isOwn: boolean;
}

/** The part of a rule that visits every entry. */
export interface RuleVisitor {
  /** Called once for each entry; the entries of one directory follow each other. */
  readonly visit: (file: VisitedFile) => void;
  /** Returns what is wrong. Called after the last entry. */
  readonly problems: () => Problems;
}

/** Returns a function that judges each directory once: the entries of one follow each other. */
export function oncePerDirectory<T>(judge: (directory: VisitedDirectory) => T): (file: VisitedFile) => T {
  let last: { readonly directory: VisitedDirectory; readonly judged: T } | undefined;
  return ({ directory }) => {
    if (last?.directory !== directory) last = { directory, judged: judge(directory) };
    return last.judged;
  };
}

/** Returns a visitor that lists the names given for entries, and reports them all as one problem. */
export function listingVisitor(
  nameOf: (file: VisitedFile) => string | undefined,
  report: (found: FirstNames, first: string) => Problem,
): RuleVisitor {
  const found = new FirstNames();
  return {
    visit(file) {
      const name = nameOf(file);
      if (name !== undefined) found.add(name);
    },
    problems() {
      const [first] = found.names;
      return first === undefined ? undefined : report(found, first);
    },
  };
}

/** Files between two yields to the event loop (under 1 ms), so that packing is not held up. */
const FILES_PER_TURN = 128;

/** Shows every visible entry of the image to all visitors, in one pass. */
export async function visitFiles(
  facts: ImageFacts,
  visitors: readonly RuleVisitor[],
  signal?: AbortSignal,
): Promise<void> {
  if (visitors.length === 0) return;
  let visited = 0;
  for (const file of visitedFiles(facts)) {
    for (const { visit } of visitors) visit(file);
    if (++visited % FILES_PER_TURN === 0) await yieldToEventLoop();
    signal?.throwIfAborted();
  }
}

function* visitedFiles(facts: ImageFacts): Generator<VisitedFile> {
  const own = ownDirectories(facts);
  let directory: VisitedDirectory | undefined;
  for (const { path, kind, mode, size, link, layer } of facts.files.view.entries()) {
    const end = Math.max(0, path.lastIndexOf("/"));
    if (directory?.path.length !== end || !path.startsWith(directory.path))
      directory = directoryAt(path.slice(0, end), own, facts);
    const name = end === 0 ? path : path.slice(end + 1);
    const isOwn = directory.isOwn || own.includes(path);
    yield { path, kind, mode, size, link, layer, name, directory, isOwn };
  }
}

function directoryAt(path: string, own: readonly string[], facts: ImageFacts): VisitedDirectory {
  const isIn = (root: string) => path === root || path.startsWith(`${root}/`);
  const root = taskRoot(facts);
  return { path, inside: insideOf(root, path), isOwn: own.some(isIn) };
}

function insideOf(root: string, directory: string): string | undefined {
  if (directory === root) return "";
  const inside = within(root, directory);
  return inside === undefined ? undefined : `${inside}/`;
}

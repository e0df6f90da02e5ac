import { lstatSync, readdirSync, type Stats } from "node:fs";
import { hasCode, type LambdaPackError } from "../errors.ts";
import { fileChanged, unreadable } from "./encode/source.ts";
import { type IgnoreRules, UNNAMED, type Verdict } from "./ignore/ignore.ts";
import { type Name, parseName } from "./names.ts";

/** Something in the source folder. */
export interface Found {
  /** The number of the folder that it is in: the root's is 0, and the others count up in the order in which they are found. */
  readonly folder: number;
  readonly name: string;
  /** Relative to the root, '/'-separated. */
  readonly path: string;
  /** Absolute. */
  readonly source: string;
  /** Of the thing itself, never of what a link points to. */
  readonly stats: Stats;
  /** false: a folder that the rules leave out, but maybe not all that is in it. */
  readonly isKept: boolean;
}

export interface WalkOptions {
  readonly ignore: IgnoreRules;
  /** Paths that are left out with all that is below, whatever the rules say. */
  readonly leavesOut: (path: string) => boolean;
}

interface Folder {
  readonly number: number;
  readonly path: string;
  readonly verdict: Verdict;
}

/**
 * All that the rules leave, one folder after the other, a folder before what is in it; otherwise in no particular order. Folders come whether or not
 * anything is in them. Follows no link. Folders that nothing can be brought back from are not entered. Synchronous, as in source.ts.
 * @throws FILE_NAME, FILE_UNREADABLE, FILE_CHANGED naming the path.
 */
export function* walk(root: string, options: WalkOptions): Generator<Found> {
  const pending: Folder[] = [{ number: 0, path: "", verdict: UNNAMED }];
  let folders = 0;
  for (let folder = pending.pop(); folder; folder = pending.pop()) {
    for (const name of namesIn(root, folder.path)) {
      const visited = visit(root, folder, name, options);
      if (!visited) continue;
      const { found, verdict } = visited;
      if (found.stats.isDirectory()) pending.push({ number: ++folders, path: found.path, verdict });
      yield found;
    }
  }
}

interface Visited {
  readonly found: Found;
  readonly verdict: Verdict;
}

function visit(
  root: string,
  folder: Folder,
  name: Name,
  { ignore, leavesOut }: WalkOptions,
): Visited | undefined {
  const path = join(folder.path, name.toString());
  if (leavesOut(path)) return undefined;
  const verdict = ignore.judge(path, folder.verdict);
  const isKept = !ignore.ignores(verdict);
  if (!isKept && !ignore.mayBringBack(path, verdict)) return undefined;
  const parsed = parseName(name, folder.path);
  const source = join(root, join(folder.path, parsed));
  const stats = statsOf(source);
  if (!isKept && !stats.isDirectory()) return undefined;
  return { found: { folder: folder.number, name: parsed, path, source, stats, isKept }, verdict };
}

/** What a name that is not UTF-8 has in it once it is a text; one that is may have it too. */
const REPLACED = "\ufffd";

/** As texts, which takes a quarter of the time that buffers take; but where one may not be UTF-8, as it is. */
function namesIn(root: string, path: string): readonly Name[] {
  const source = path === "" ? root : join(root, path);
  try {
    const names = readdirSync(source);
    return names.some((name) => name.includes(REPLACED)) ? readdirSync(source, "buffer") : names;
  } catch (error) {
    throw failure(source, error);
  }
}

function statsOf(source: string): Stats {
  try {
    return lstatSync(source);
  } catch (error) {
    throw failure(source, error);
  }
}

function failure(source: string, error: unknown): LambdaPackError {
  if (hasCode(error, "ENOENT", "ENOTDIR", "ELOOP")) return fileChanged(source, "it is gone");
  return unreadable(source, error);
}

function join(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

import { lstatSync, readdirSync, type Stats } from "node:fs";
import { hasCode, type LambdaPackError } from "../errors.ts";
import { fileChanged, unreadable } from "./encode/source.ts";
import { type IgnoreRules, UNNAMED, type Verdict } from "./ignore/ignore.ts";
import { type Name, parseName } from "./names.ts";

/** Something in the source folder that is to be packed. */
export interface Found {
  /** Relative to the folder, '/'-separated. */
  readonly path: string;
  /** Absolute. */
  readonly source: string;
  /** Of the thing itself, never of what a link points to. */
  readonly stats: Stats;
}

export interface WalkOptions {
  readonly ignore: IgnoreRules;
  /** Paths that are left out with all that is below, whatever the rules say. */
  readonly leavesOut: (path: string) => boolean;
}

interface Folder {
  readonly path: string;
  readonly verdict: Verdict;
}

/**
 * All that the rules leave, in no particular order; folders come whether or not anything is in them. Follows no link.
 * Folders that nothing can be brought back from are not entered. Synchronous, as in source.ts.
 * @throws FILE_NAME, FILE_UNREADABLE, FILE_CHANGED naming the path.
 */
export function* walk(root: string, options: WalkOptions): Generator<Found> {
  const pending: Folder[] = [{ path: "", verdict: UNNAMED }];
  for (let folder = pending.pop(); folder; folder = pending.pop()) {
    for (const name of namesIn(root, folder.path)) yield* visit(root, folder, name, pending, options);
  }
}

function* visit(
  root: string,
  folder: Folder,
  name: Name,
  pending: Folder[],
  { ignore, leavesOut }: WalkOptions,
): Generator<Found> {
  const path = join(folder.path, name.toString());
  if (leavesOut(path)) return;
  const verdict = ignore.judge(path, folder.verdict);
  const ignored = ignore.ignores(verdict);
  if (ignored && !ignore.mayBringBack(path, verdict)) return;
  const source = join(root, join(folder.path, parseName(name, folder.path)));
  const stats = statsOf(source);
  if (stats.isDirectory()) pending.push({ path, verdict });
  if (!ignored) yield { path, source, stats };
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

import { lstatSync, readdirSync, type Stats } from "node:fs";
import { type IgnoreRules, UNNAMED, type Verdict } from "./ignore/ignore.ts";
import { type Name, parseName } from "./names.ts";
import {
  attempt,
  descriptorPaths,
  type Identity,
  identityOf,
  type OpenDirectory,
  openDirectory,
} from "./open-directory.ts";

/** Something in the source folder. */
export interface Found {
  /** The number of the folder that it is in: the root's is 0, and the others count up in the order in which they are found. */
  readonly folder: number;
  readonly name: string;
  /** Relative to the root, '/'-separated. */
  readonly path: string;
  /** Absolute. */
  readonly source: string;
  /** Leads to it too, until the next thing is asked for, and not elsewhere when a parent is replaced (open-directory.ts). */
  readonly opened: string;
  /** Of the thing itself, never of what a link points to. */
  readonly stats: Stats;
  /** false: a folder that the rules leave out, but maybe not all that is in it. */
  readonly isKept: boolean;
}

export interface WalkOptions {
  readonly ignore: IgnoreRules;
  /** Paths that are left out with all that is below, whatever the rules say. */
  readonly leavesOut: (path: string) => boolean;
  /** Where open directories have paths. Default: as {@link descriptorPaths} finds. */
  readonly descriptors?: string | undefined;
}

interface Folder {
  readonly number: number;
  readonly path: string;
  readonly verdict: Verdict;
  /** Of what was found; only this directory is listed. */
  readonly identity: Identity;
}

/** A folder that is being listed. */
interface Listed extends Folder {
  readonly directory: OpenDirectory;
  /** @throws FILE_CHANGED, FILE_UNREADABLE. */
  names(): readonly Name[];
  /** What comes before a name in `Found.path`, `Found.source` and `Found.opened`. */
  readonly prefix: { readonly path: string; readonly source: string; readonly opened: string };
}

/**
 * All that the rules leave, one folder after the other, a folder before what is in it; otherwise in no particular order. Folders come whether or not
 * anything is in them. Follows no link. Folders that nothing can be brought back from are not entered. Synchronous, as in source.ts.
 * @throws FILE_NAME, FILE_UNREADABLE, FILE_CHANGED naming the path.
 */
export function* walk(root: string, options: WalkOptions): Generator<Found> {
  const descriptors = "descriptors" in options ? options.descriptors : descriptorPaths();
  const identity = identityOf(statsOf(root, root));
  const pending: Folder[] = [{ number: 0, path: "", verdict: UNNAMED, identity }];
  let folders = 0;
  for (let folder = pending.pop(); folder; folder = pending.pop()) {
    const listed = list(root, folder, descriptors);
    try {
      for (const name of listed.names()) {
        const visited = visit(listed, name, options);
        if (!visited) continue;
        const { found, verdict } = visited;
        const { path, stats } = found;
        if (stats.isDirectory())
          pending.push({ number: ++folders, path, verdict, identity: identityOf(stats) });
        yield found;
      }
      listed.directory.verify();
    } finally {
      listed.directory.close();
    }
  }
}

function list(root: string, folder: Folder, descriptors: string | undefined): Listed {
  const source = folder.path === "" ? root : `${root}/${folder.path}`;
  const path = folder.path === "" ? "" : `${folder.path}/`;
  const directory = openDirectory(source, folder.identity, descriptors);
  return {
    ...folder,
    directory,
    names: () => namesIn(source, directory.path),
    prefix: { path, source: `${source}/`, opened: `${directory.path}/` },
  };
}

interface Visited {
  readonly found: Found;
  readonly verdict: Verdict;
}

function visit(folder: Listed, name: Name, { ignore, leavesOut }: WalkOptions): Visited | undefined {
  const { prefix } = folder;
  const path = prefix.path + name.toString();
  if (leavesOut(path)) return undefined;
  const verdict = ignore.judge(path, folder.verdict);
  const isKept = !ignore.ignores(verdict);
  if (!isKept && !ignore.mayBringBack(path, verdict)) return undefined;
  const parsed = parseName(name, folder.path);
  const source = prefix.source + parsed;
  const opened = prefix.opened + parsed;
  const stats = statsOf(source, opened);
  if (!isKept && !stats.isDirectory()) return undefined;
  return { found: { folder: folder.number, name: parsed, path, source, opened, stats, isKept }, verdict };
}

/** What a name that is not UTF-8 has in it once it is a text; one that is may have it too. */
const REPLACED = "\ufffd";

/** As texts, which takes a quarter of the time that buffers take; but where one may not be UTF-8, as it is. */
function namesIn(source: string, opened: string): readonly Name[] {
  return attempt(source, () => {
    const names = readdirSync(opened);
    return names.some((name) => name.includes(REPLACED)) ? readdirSync(opened, "buffer") : names;
  });
}

function statsOf(source: string, opened: string): Stats {
  return attempt(source, () => lstatSync(opened));
}

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

/** An item of the source directory. */
export interface Found {
  /** Relative to the root, '/'-separated. */
  readonly path: string;
  /** Absolute. */
  readonly source: string;
  /**
   * Another path to it, valid until the next item is asked for. It still leads there when a parent
   * directory is replaced (open-directory.ts).
   */
  readonly opened: string;
  /** Of the item itself, never of what a link points to. */
  readonly stats: Stats;
  /** false: a directory that the rules exclude, but possibly not everything in it. */
  readonly isKept: boolean;
  readonly verdict: Verdict;
}

export interface WalkOptions {
  readonly ignore: IgnoreRules;
  /** Returns whether a path is excluded with everything below it, whatever the rules say. */
  readonly isAlwaysExcluded: (path: string) => boolean;
  /** Called with each path that a rule excludes and the number of the rule. */
  readonly onIgnored?: ((path: string, verdict: Verdict) => void) | undefined;
  /** The directory with the paths of open files. Default: the result of {@link descriptorPaths}. */
  readonly descriptors?: string | undefined;
}

interface Directory {
  readonly path: string;
  readonly verdict: Verdict;
  /** Identifies the directory that was found; only this one is listed. */
  readonly identity: Identity;
}

/** A directory that is being listed. */
interface Listed extends Directory {
  readonly directory: OpenDirectory;
  /** @throws FILE_CHANGED, FILE_UNREADABLE. */
  names(): readonly Name[];
  /** What comes before a name in `Found.path`, `Found.source` and `Found.opened`. */
  readonly prefix: { readonly path: string; readonly source: string; readonly opened: string };
}

/**
 * Finds everything that the rules keep, one directory after the other, a directory before its
 * content; otherwise in no particular order. Follows no links, and enters no excluded directory in
 * which nothing can be included. Synchronous, like source.ts.
 * @throws FILE_NAME, FILE_UNREADABLE, FILE_CHANGED naming the path.
 */
export function* walk(root: string, options: WalkOptions): Generator<Found> {
  const descriptors = "descriptors" in options ? options.descriptors : descriptorPaths();
  const identity = identityOf(statsOf(root, root));
  const pending: Directory[] = [{ path: "", verdict: UNNAMED, identity }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const listed = list(root, next, descriptors);
    try {
      for (const name of listed.names()) {
        const found = visit(listed, name, options);
        if (!found) continue;
        const { path, stats, verdict } = found;
        if (stats.isDirectory()) pending.push({ path, verdict, identity: identityOf(stats) });
        yield found;
      }
      listed.directory.verify();
    } finally {
      listed.directory.close();
    }
  }
}

function list(root: string, found: Directory, descriptors: string | undefined): Listed {
  const source = found.path === "" ? root : `${root}/${found.path}`;
  const path = found.path === "" ? "" : `${found.path}/`;
  const directory = openDirectory(source, found.identity, descriptors);
  return {
    ...found,
    directory,
    names: () => namesIn(source, directory.path),
    prefix: { path, source: `${source}/`, opened: `${directory.path}/` },
  };
}

function visit(parent: Listed, name: Name, options: WalkOptions): Found | undefined {
  const { ignore, isAlwaysExcluded, onIgnored } = options;
  const { prefix } = parent;
  const path = prefix.path + name.toString();
  if (isAlwaysExcluded(path)) return undefined;
  const verdict = ignore.judge(path, parent.verdict);
  const isKept = !ignore.ignores(verdict);
  if (!isKept) onIgnored?.(path, verdict);
  if (!isKept && !ignore.mayIncludeBelow(path, verdict)) return undefined;
  const parsed = parseName(name, parent.path);
  const source = prefix.source + parsed;
  const opened = prefix.opened + parsed;
  const stats = statsOf(source, opened);
  if (!isKept && !stats.isDirectory()) return undefined;
  return { path, source, opened, stats, isKept, verdict };
}

/** The character that replaces invalid UTF-8 in a decoded name; a valid name may contain it too. */
const REPLACED = "\ufffd";

/** Buffers take four times as long as strings: they are read only if a name may not be UTF-8. */
function namesIn(source: string, opened: string): readonly Name[] {
  return attempt(source, () => {
    const names = readdirSync(opened);
    return names.some((name) => name.includes(REPLACED)) ? readdirSync(opened, "buffer") : names;
  });
}

function statsOf(source: string, opened: string): Stats {
  return attempt(source, () => lstatSync(opened));
}

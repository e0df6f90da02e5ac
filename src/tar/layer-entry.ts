import type { Wanted } from "./file-content.ts";
import type { EntryKind } from "./read-header.ts";

export type { Wanted };

/** An entry of a layer, as its tar describes it. */
export interface LayerEntry {
  /** The name as it is written in the tar. */
  readonly name: string;
  /** '/'-separated; "" for the root; undefined if the name is not a path in an image. */
  readonly path: string | undefined;
  readonly kind: EntryKind;
  /** Permission bits, up to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of a file's content, holes included; 0 for other entries. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** The target of a link, as it is written in the tar. */
  readonly link: string;
  /** Extended attributes, such as capabilities, and other PAX records, by name. */
  readonly attributes?: ReadonlyMap<string, string> | undefined;
}

/** The bytes of an entry's headers in its tar, extended ones included; `to` is exclusive. */
export interface HeaderRange {
  readonly from: number;
  readonly to: number;
}

/** Visits every entry in the order of the tar. */
export interface LayerVisitor {
  /** Returns which part of the content to keep; undefined: the content is not wanted. */
  enter(entry: LayerEntry, headers: HeaderRange): Wanted | undefined;
  /** Called after the content of an entry that was wanted. The buffers may be kept. */
  leave?(entry: LayerEntry, head: Buffer, tail: Buffer): void;
  /** Called with the wanted content, zeros for holes included; a piece is valid during the call. */
  content?(entry: LayerEntry, piece: Buffer): void;
}

/** PAX records that are fields of an entry, or that do not matter in an image. */
const FIELDS =
  /^(?:path|linkpath|size|uid|gid|mtime|atime|ctime|uname|gname|comment|charset|hdrcharset|SCHILY\.(?:dev|ino|nlink|realsize)|LIBARCHIVE\.creationtime|GNU\.sparse\..*)$/;

/** Returns the records that are not fields of an entry. */
export function attributesIn(records: ReadonlyMap<string, string>): ReadonlyMap<string, string> | undefined {
  const others = [...records].filter(([key]) => !FIELDS.test(key));
  return others.length === 0 ? undefined : new Map(others);
}

/** In bytes; Linux opens no longer path (PATH_MAX, limits.h). */
const MAX_LENGTH = 4095;
/** In bytes; no file system of Linux has a longer name (NAME_MAX, limits.h). */
const MAX_NAME = 255;

/** In characters: such a name never has more than {@link MAX_NAME} bytes. */
const MAX_PLAIN = MAX_NAME / 3;
/** Matches nothing, `.` or `..` between two slashes. */
const NOT_PLAIN = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * Returns the path in the image that a name in a tar means: '/'-separated, no slash at either end,
 * "" for the root. undefined for a name with `..`, which may lead out of the root or through a
 * link, and for one that Linux cannot open: longer than 4095 bytes, or with a part of more than
 * 255.
 */
export function entryPath(name: string): string | undefined {
  const path = name.endsWith("/") ? name.slice(0, -1) : name;
  if (path.length <= MAX_PLAIN && !NOT_PLAIN.test(path)) return path;
  if (name.length > MAX_LENGTH || Buffer.byteLength(name) > MAX_LENGTH) return undefined;
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  return parts.some((part) => part === ".." || isTooLong(part)) ? undefined : parts.join("/");
}

/** Returns the target of a link at `path` within the image, where the root is its own parent. */
export function linkTarget(path: string, target: string): string {
  const from = target.startsWith("/") ? [] : path.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") from.pop();
    else if (part !== "" && part !== ".") from.push(part);
  }
  return from.join("/");
}

/** Linux follows at most this many links (path_resolution(7)). */
export const MAX_LINKS = 40;

/**
 * Follows the links on the way to `path` and at its end, as Linux does. `targetAt`: returns where
 * the link at a path leads within the image; undefined if there is no link. Returns undefined for
 * more than {@link MAX_LINKS} links, as in a cycle.
 */
export function realPath(path: string, targetAt: (path: string) => string | undefined): string | undefined {
  const rest = path.split("/").reverse();
  let at = "";
  let links = 0;
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    if (name === "") continue;
    const next = at === "" ? name : `${at}/${name}`;
    const target = targetAt(next);
    at = target === undefined ? next : "";
    if (target === undefined) continue;
    if (++links > MAX_LINKS) return undefined;
    rest.push(...target.split("/").reverse());
  }
  return at;
}

function isTooLong(part: string): boolean {
  return part.length * 3 > MAX_NAME && Buffer.byteLength(part) > MAX_NAME;
}

interface Link {
  readonly kind: EntryKind;
  readonly path: string;
  readonly link: string;
}

/** Returns the target of a link within the image; undefined for other entries. */
export function pointsTo({ kind, path, link }: Link): string | undefined {
  if (kind === "symlink") return linkTarget(path, link);
  return kind === "hardlink" ? linkTarget("", link) : undefined;
}

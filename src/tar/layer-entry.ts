import type { Wanted } from "./file-content.ts";
import type { EntryKind } from "./read-header.ts";

export type { Wanted };

/** An entry of a layer, as its tar describes it. */
export interface LayerEntry {
  /** The name as it is written in the tar. */
  readonly name: string;
  /**
   * '/'-separated, no slash at either end; "" for the root. undefined if the name is not a path in
   * an image.
   */
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
  /**
   * Called with the wanted content piece by piece, zeros for holes included; a piece is valid
   * during the call only.
   */
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

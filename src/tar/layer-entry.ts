import type { Wanted } from "./file-content.ts";
import type { EntryKind } from "./read-header.ts";

export type { Wanted };

/** An entry of a layer, as its tar has it. */
export interface LayerEntry {
  /** As it is written there. */
  readonly name: string;
  /**
   * '/'-separated, no slash at either end; "" for the root. undefined where it means no place in an
   * image.
   */
  readonly path: string | undefined;
  readonly kind: EntryKind;
  /** Permission bits, up to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of a file's content, holes included; 0 for all else. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** What a link points to, as it is written there. */
  readonly link: string;
  /** Extended attributes, such as capabilities, and other PAX records, by name. */
  readonly attributes?: ReadonlyMap<string, string> | undefined;
}

/** The headers of an entry in its tar, extended ones included: from this byte to before that. */
export interface HeaderRange {
  readonly from: number;
  readonly to: number;
}

/** Is shown every entry in the order of the tar. */
export interface LayerVisitor {
  /** Returns what of the content is wanted; undefined: nothing. */
  enter(entry: LayerEntry, headers: HeaderRange): Wanted | undefined;
  /** Called after the content of an entry of which something was wanted, with memory of its own. */
  leave?(entry: LayerEntry, head: Buffer, tail: Buffer): void;
  /**
   * Called with the wanted content piece by piece, zeros for holes included; a piece is valid
   * during the call only.
   */
  content?(entry: LayerEntry, piece: Buffer): void;
}

/** Records that are fields of an entry, or say nothing of the file in an image. */
const FIELDS =
  /^(?:path|linkpath|size|uid|gid|mtime|atime|ctime|uname|gname|comment|charset|hdrcharset|SCHILY\.(?:dev|ino|nlink|realsize)|LIBARCHIVE\.creationtime|GNU\.sparse\..*)$/;

/** Gives the records that are no fields of an entry. */
export function attributesIn(records: ReadonlyMap<string, string>): ReadonlyMap<string, string> | undefined {
  const others = [...records].filter(([key]) => !FIELDS.test(key));
  return others.length === 0 ? undefined : new Map(others);
}

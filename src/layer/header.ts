import { type Entry, tarName } from "./entry.ts";

/** What tar-stream writes as one entry; `pax` makes it write an extended header with these records and the names. */
export interface TarHeader {
  readonly name: string;
  readonly type: Entry["kind"];
  readonly mode: number;
  readonly size: number;
  readonly mtime: Date;
  readonly uid: 0;
  readonly gid: 0;
  readonly linkname?: string;
  readonly pax?: Readonly<Record<string, string>>;
}

/** File type bits (POSIX sys/stat.h): tar-stream takes a mode of 0 for none, and cuts these off when it writes. */
const TYPE_BITS = { directory: 0o040000, file: 0o100000, symlink: 0o120000 } as const;

/** tar-stream cuts seconds to 32 bits (headers.js), and ustar has no room below 0. */
const MAX_SECONDS = 2 ** 31 - 1;

/** The name field of ustar less the slash that ends a directory. */
const MAX_DIRECTORY_NAME = 99;

/** What tar-stream needs to write this entry right: every field given, PAX records where its own judgement falls short. */
export function headerOf(entry: Entry, mtime: Date): TarHeader {
  const seconds = Math.floor(mtime.getTime() / 1000);
  const late = seconds < 0 || seconds > MAX_SECONDS;
  return {
    name: tarName(entry),
    type: entry.kind,
    mode: TYPE_BITS[entry.kind] | (entry.kind === "symlink" ? 0o777 : entry.mode),
    size: entry.kind === "file" ? entry.size : 0,
    mtime: new Date(late ? 0 : seconds * 1000),
    uid: 0,
    gid: 0,
    ...(entry.kind === "symlink" && { linkname: entry.target }),
    ...((late || needsPax(entry)) && { pax: late ? { mtime: String(seconds) } : {} }),
  };
}

/**
 * Where tar-stream would write a ustar header that readers disagree on: raw UTF-8 in a link's target,
 * and a directory whose last name fills the field, which it cuts into a prefix and an empty name.
 */
function needsPax(entry: Entry): boolean {
  if (entry.kind === "symlink") return Buffer.byteLength(entry.target) !== entry.target.length;
  return entry.kind === "directory" && lastName(entry.path).length > MAX_DIRECTORY_NAME;
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

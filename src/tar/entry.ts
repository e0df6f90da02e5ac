/** An entry of a layer in its one normal form (image-spec layer.md): sorted, parents first. */
export interface DirectoryEntry {
  readonly kind: "directory";
  readonly path: string;
  /** Permission bits, up to 0o7777. */
  readonly mode: number;
}

export interface FileEntry {
  readonly kind: "file";
  readonly path: string;
  /** 0o644 or 0o755. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
  /** Absolute path on disk. */
  readonly source: string;
  /** The offset of the bytes in `source`, if it holds other files too; absent: all of it. */
  readonly offset?: number;
  /** If known, packing fails when the file is no longer this version. */
  readonly version?: FileVersion;
  /** Parts that are replaced while the file is packed, in order. `size` is that of the result. */
  readonly edits?: readonly Edit[];
  /** The size on disk, before the edits, in bytes. */
  readonly sizeOnDisk?: number;
}

/**
 * Replaces `length` bytes at `at`. `layer time`: the mtime of all entries, in seconds, four bytes
 * little-endian.
 */
export interface Edit {
  readonly at: number;
  readonly length: number;
  readonly bytes: Buffer | "layer time";
}

/** Distinguishes a file from one that replaced it, and from itself after a write (stat(2)). */
export interface FileVersion {
  readonly device: number;
  readonly inode: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

/**
 * In milliseconds. A file that was changed less than this before its scan may be written again
 * without another mtime: FAT counts in steps of two seconds, and no other file system of apps in
 * longer ones.
 */
export const RACY_MS = 2000;

export interface SymlinkEntry {
  readonly kind: "symlink";
  readonly path: string;
  readonly target: string;
}

/** `path` is '/'-separated, without a slash at either end, and unique within its layer. */
export type Entry = DirectoryEntry | FileEntry | SymlinkEntry;

/** Permission bits of directories that the base already has, by path: `tmp` is 0o1777. */
export type DirectoryModes = ReadonlyMap<string, number>;

const DEFAULT_DIRECTORY_MODE = 0o755;

/**
 * In bytes. A tar consists of such blocks (GNU tar, "Basic Tar Format"); a header is one, and the
 * content of a file begins right after it.
 */
export const TAR_BLOCK = 512;

/** Returns the name in the tar: with a slash, byte order puts directories before their children. */
export function tarName({ kind, path }: Entry): string {
  return kind === "directory" ? `${path}/` : path;
}

/** Sorts by the UTF-8 bytes of the names. */
export function sortByName<T>(items: Iterable<T>, nameOf: (item: T) => string): readonly T[] {
  const all = Array.from(items);
  const compare = all.some((item) => ORDERED_OTHERWISE.test(nameOf(item))) ? compareBytes : compareUnits;
  return all.sort((a, b) => compare(nameOf(a), nameOf(b)));
}

/**
 * JavaScript's order, UTF-16, puts emoji before some characters that are less in UTF-8. Without
 * such names the two orders are the same.
 */
const ORDERED_OTHERWISE = /[\ud800-\udfff]/;

function compareUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/**
 * Yields sorted entries, with an entry for every parent directory before them: Lambda refuses a
 * layer in which one is missing (InvalidImage: MissingParentDirectory). A directory that the base
 * has keeps its mode.
 */
export function* withParents(sorted: Iterable<Entry>, modes: DirectoryModes = new Map()): Generator<Entry> {
  /**
   * The directory that was needed last. Everything in a directory follows it in this order: its
   * parents have their entries, and no earlier directory is needed again.
   */
  let last = "";
  for (const entry of sorted) {
    const directory = parentOf(entry.path);
    if (directory !== last) yield* missing(directory, last, modes);
    last = entry.kind === "directory" ? entry.path : directory;
    yield entry;
  }
}

/** Returns the directory and those above it, highest first, except `last` and its parents. */
function missing(directory: string, last: string, modes: DirectoryModes): readonly Entry[] {
  const entries: Entry[] = [];
  for (
    let path = directory;
    path !== "" && path !== last && !last.startsWith(`${path}/`);
    path = parentOf(path)
  )
    entries.push(directoryEntry(path, modes));
  return entries.reverse();
}

export function directoryEntry(path: string, modes: DirectoryModes): DirectoryEntry {
  return { kind: "directory", path, mode: modes.get(path) ?? DEFAULT_DIRECTORY_MODE };
}

/** Returns `a` for `a/b`, the empty string for `a`. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

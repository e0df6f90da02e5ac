/**
 * What a layer holds, in its one normal form (image-spec layer.md; design: parents first, sorted,
 * modes normalised).
 */
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
  /**
   * Where the bytes begin in `source`, which holds those of other files too; absent: they are all
   * of it.
   */
  readonly offset?: number;
  /** Where known, what is packed is still this file, untouched. */
  readonly version?: FileVersion;
  /** Parts that are replaced while the file is packed, in order. `size` is that of the result. */
  readonly edits?: readonly Edit[];
  /** Bytes of the file that is edited. */
  readonly sizeOnDisk?: number;
}

/**
 * Replaces `length` bytes at `at`. `layer time`: the one time of all entries, in seconds, four
 * bytes little-endian.
 */
export interface Edit {
  readonly at: number;
  readonly length: number;
  readonly bytes: Uint8Array | "layer time";
}

/**
 * Tells a file from one that took its place, and from itself after a write (stat(2): st_dev,
 * st_ino, st_mtim, st_ctim).
 */
export interface FileVersion {
  readonly device: number;
  readonly inode: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

/**
 * A file that was touched less than this before it was looked at may be written to with the same
 * times: FAT counts in steps of two seconds, and nothing that an app lies on in longer ones.
 */
export const RACY_MS = 2000;

export interface SymlinkEntry {
  readonly kind: "symlink";
  readonly path: string;
  readonly target: string;
}

/**
 * `path` is inside the image: '/'-separated, without a slash at either end, unique within its
 * layer.
 */
export type Entry = DirectoryEntry | FileEntry | SymlinkEntry;

/** Permission bits of directories that the base already has, by path: `tmp` is 0o1777. */
export type DirectoryModes = ReadonlyMap<string, number>;

const DEFAULT_DIRECTORY_MODE = 0o755;

/**
 * The name in the tar: directories end in a slash, so that byte order puts them right before their
 * children.
 */
export function tarName({ kind, path }: Entry): string {
  return kind === "directory" ? `${path}/` : path;
}

/** By the UTF-8 bytes of the names. */
export function sortByName<T>(items: Iterable<T>, nameOf: (item: T) => string): readonly T[] {
  const all = Array.from(items);
  const compare = all.some((item) => ORDERED_OTHERWISE.test(nameOf(item))) ? compareBytes : compareUnits;
  return all.sort((a, b) => compare(nameOf(a), nameOf(b)));
}

/**
 * UTF-16, JavaScript's order, puts emoji before some that are less; without such names the two
 * orders are one.
 */
const ORDERED_OTHERWISE = /[\ud800-\udfff]/;

function compareUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** By their UTF-8 bytes. */
function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/**
 * Entries that are sorted already, with every parent directory as an entry of its own before them:
 * Lambda refuses a layer in which one is missing (InvalidImage: MissingParentDirectory). A
 * directory that the base knows keeps its mode.
 */
export function* withParents(sorted: Iterable<Entry>, modes: DirectoryModes = new Map()): Generator<Entry> {
  /**
   * The directory that was needed last. In this order all of a directory stands together: so those
   * above it are there, and no other is needed again.
   */
  let last = "";
  for (const entry of sorted) {
    const directory = parentOf(entry.path);
    if (directory !== last) yield* missing(directory, last, modes);
    last = entry.kind === "directory" ? entry.path : directory;
    yield entry;
  }
}

/** The directory and those above it, the highest first, but for those that are or hold `last`. */
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

/** `a` for `a/b`, the empty string for `a`. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

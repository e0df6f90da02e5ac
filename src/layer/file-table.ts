import type { Digest } from "../oci/digest.ts";
import {
  compareBytes,
  type DirectoryModes,
  directoryEntry,
  type Entry,
  RACY_MS,
  sortByName,
} from "../tar/entry.ts";
import { bytes, words } from "./columns.ts";
import { FileColumns, KINDS, type Kind, stateOf } from "./file-columns.ts";
import { firstNot, type Sequence } from "./sequence.ts";

export interface SourceFile {
  /** Relative to the source folder, '/'-separated. */
  readonly path: string;
  readonly entry: Entry;
}

/** Files in the order of the tar. */
export interface SourceFiles extends Sequence<SourceFile> {
  /**
   * Names the state on this machine of all that is in the folder, or of the files with these numbers: another one for another state, and the same one
   * while nothing is touched. Reads nothing.
   * undefined where it would prove nothing: a file was touched less than {@link RACY_MS} before `seenAt` (milliseconds since the epoch), when the files were
   * looked at, so that a later write might not show in its times (git, Documentation/technical/racy-git.txt); or it lies in the future. Absent: it is not known.
   */
  state?(seenAt: number, numbers?: Uint32Array): Digest | undefined;
}

/** The number of a file or link among files in the order of the tar; undefined where there is none of this path. */
export function numberOf(files: Sequence<SourceFile>, path: string): number | undefined {
  const nameOf = (file: SourceFile) => (file.entry.kind === "directory" ? `${file.path}/` : file.path);
  const number = firstNot(files, (file) => compareBytes(nameOf(file), path) < 0);
  return files.at(number)?.path === path ? number : undefined;
}

/** Where all files of a table are. */
export interface Places {
  /** The source folder; absolute. */
  readonly root: string;
  /** What comes before each path inside the image; the empty string or without a slash at either end. */
  readonly prefix: string;
  /** Of directories that the base has. */
  readonly modes: DirectoryModes;
}

/** Something in a folder of the source. */
export interface Row {
  /** The number of the folder: the source folder's is 0, and the others count up in the order in which they are added. */
  readonly folder: number;
  readonly name: string;
  /** undefined: a folder that is not packed for its own sake. */
  readonly entry: Entry | undefined;
}

/**
 * What is in the source folder, as columns of numbers: 1,000,000 files take some 70 MB, and leave nothing for the garbage collector to look at, where as
 * objects they take 450. A row is made into an object when it is asked for, and again the next time.
 */
export class FileTable implements SourceFiles {
  readonly #places: Places;
  readonly #columns = new FileColumns();
  /** By the number of the folder: its first row, how many there are, and whether one of them is packed for its own sake. */
  readonly #firsts = words();
  readonly #counts = words();
  readonly #brought = bytes();
  /** Rows in the order of the tar, without folders that something in them brings along. */
  #order: Uint32Array | undefined;
  /** Most rows are in the folder of the one before. */
  #last = { folder: 0, start: "" };

  constructor(places: Places) {
    this.#places = places;
    this.#columns.paths.add(Buffer.alloc(0));
  }

  /** All that is in one folder is added before anything in another, and a folder before what is in it. None after the first was read. */
  add({ folder, name, entry }: Row): void {
    const row = this.#columns.names.add(Buffer.from(name));
    const count = this.#counts.get(folder);
    if (count === 0) this.#firsts.set(folder, row);
    this.#counts.set(folder, count + 1);
    this.#columns.folders.set(row, folder);
    this.#columns.kinds.set(row, KINDS.indexOf(kindOf(entry)));
    this.#columns.details.set(row, this.#detailOf(row, entry));
    if (entry) this.#brought.set(folder, 1);
    if (entry?.kind !== "file") return;
    this.#columns.devices.set(row, entry.version?.device ?? 0);
    this.#columns.inodes.set(row, entry.version?.inode ?? 0);
    this.#columns.mtimes.set(row, entry.version?.mtimeMs ?? 0);
    this.#columns.ctimes.set(row, entry.version?.ctimeMs ?? 0);
  }

  /** Files, links and empty folders. */
  get length(): number {
    return this.#sorted().length;
  }

  at(index: number): SourceFile | undefined {
    const row = this.#sorted()[index];
    return row === undefined ? undefined : this.#fileAt(row);
  }

  state(seenAt: number, numbers?: Uint32Array): Digest | undefined {
    const order = numbers && this.#sorted();
    const rows = order && numbers.map((number) => order[number] ?? 0);
    const { root, prefix, modes } = this.#places;
    return stateOf(this.#columns, rows, seenAt - RACY_MS, JSON.stringify([root, prefix, [...modes]]));
  }

  *[Symbol.iterator](): Generator<SourceFile> {
    for (const row of this.#sorted()) yield this.#fileAt(row);
  }

  #detailOf(row: number, entry: Entry | undefined): number {
    if (entry?.kind === "file") return entry.size;
    if (entry?.kind === "symlink") return this.#columns.targets.add(Buffer.from(entry.target));
    return this.#columns.paths.add(Buffer.from(this.#pathAt(row)));
  }

  #fileAt(row: number): SourceFile {
    const path = this.#pathAt(row);
    return { path, entry: this.#entryAt(row, path) };
  }

  #entryAt(row: number, found: string): Entry {
    const { root, prefix, modes } = this.#places;
    const path = prefix === "" ? found : `${prefix}/${found}`;
    const kind = this.#kindAt(row);
    const detail = this.#columns.details.get(row);
    if (kind === "symlink") return { kind, path, target: this.#columns.targets.textAt(detail) };
    if (kind !== "file" && kind !== "program") return directoryEntry(path, modes);
    const version = {
      device: this.#columns.devices.get(row),
      inode: this.#columns.inodes.get(row),
      mtimeMs: this.#columns.mtimes.get(row),
      ctimeMs: this.#columns.ctimes.get(row),
    };
    const mode = kind === "program" ? 0o755 : 0o644;
    return { kind: "file", path, mode, size: detail, source: `${root}/${found}`, version };
  }

  #kindAt(row: number): Kind {
    return KINDS[this.#columns.kinds.get(row)] ?? "passage";
  }

  #pathAt(row: number): string {
    const folder = this.#columns.folders.get(row);
    if (folder !== this.#last.folder)
      this.#last = { folder, start: folder === 0 ? "" : `${this.#columns.paths.textAt(folder)}/` };
    return this.#last.start + this.#columns.names.textAt(row);
  }

  #sorted(): Uint32Array {
    this.#order ??= Uint32Array.from(this.#walk());
    return this.#order;
  }

  /** Folders' names end in a slash in a tar: sorted so in each folder, rows are in the order of their whole paths. */
  *#walk(): Generator<number> {
    const open = [this.#rowsIn(0)];
    for (let rows = open.at(-1); rows; rows = open.at(-1)) {
      const row = rows.pop();
      if (row === undefined) open.pop();
      else {
        if (this.#isListed(row)) yield row;
        if (this.#isFolder(row)) open.push(this.#rowsIn(this.#columns.details.get(row)));
      }
    }
  }

  /** The last one first. */
  #rowsIn(folder: number): number[] {
    const first = this.#firsts.get(folder);
    const keyed = Array.from({ length: this.#counts.get(folder) }, (_, index) => {
      const row = first + index;
      const name = this.#columns.names.textAt(row);
      return { row, key: this.#isFolder(row) ? `${name}/` : name };
    });
    return sortByName(keyed, ({ key }) => key)
      .map(({ row }) => row)
      .reverse();
  }

  #isListed(row: number): boolean {
    const kind = this.#kindAt(row);
    return kind === "folder" ? this.#brought.get(this.#columns.details.get(row)) === 0 : kind !== "passage";
  }

  #isFolder(row: number): boolean {
    const kind = this.#kindAt(row);
    return kind === "folder" || kind === "passage";
  }
}

function kindOf(entry: Entry | undefined): Kind {
  if (!entry) return "passage";
  if (entry.kind === "directory") return "folder";
  return entry.kind === "file" && entry.mode !== 0o644 ? "program" : entry.kind;
}

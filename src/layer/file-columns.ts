import { createDigester, type Digest, type Digester } from "../oci/digest.ts";
import { bytes, doubles, TextList, words } from "./columns.ts";

/** `folder`: one that nothing in it brings along; `passage`: one that is not packed for its own sake. */
export const KINDS = ["file", "program", "symlink", "folder", "passage"] as const;
export type Kind = (typeof KINDS)[number];

/** What is known of each thing in the source folder, by its row, in the order in which they were found. */
export class FileColumns {
  /** The number of the folder that it is in. */
  readonly folders = words();
  readonly names = new TextList();
  /** Its place in {@link KINDS}. */
  readonly kinds = bytes();
  /** The size of a file, the number of a link's target, the number of a folder. */
  readonly details = doubles();
  /** Of files, what `FileVersion` (entry.ts) says. */
  readonly devices = doubles();
  readonly inodes = doubles();
  readonly mtimes = doubles();
  readonly ctimes = doubles();
  /** By the number of the target. */
  readonly targets = new TextList();
  /** By the number of the folder. */
  readonly paths = new TextList();
}

/**
 * Names the state of all rows, or of these, and `where` they are. Of all of them the columns are hashed as they are, which takes a quarter of the time.
 * undefined where a file was touched at `before` (milliseconds since the epoch) or later.
 */
export function stateOf(
  columns: FileColumns,
  rows: Uint32Array | undefined,
  before: number,
  where: string,
): Digest | undefined {
  if (!areSettled(columns, rows, before)) return undefined;
  const digester = createDigester();
  digester.update(Buffer.from(`${where}\n`));
  if (rows) addRows(columns, rows, digester);
  else addAll(columns, digester);
  return digester.digest();
}

function areSettled(
  { names, mtimes, ctimes }: FileColumns,
  rows: Uint32Array | undefined,
  before: number,
): boolean {
  const isSettled = (row: number) => mtimes.get(row) < before && ctimes.get(row) < before;
  if (rows) return rows.every(isSettled);
  for (let row = 0; row < names.length; row++) if (!isSettled(row)) return false;
  return true;
}

function addAll(columns: FileColumns, digester: Digester): void {
  const { folders, names, kinds, details, inodes, mtimes, ctimes, targets } = columns;
  for (const column of [names, targets, folders, kinds, details, inodes, mtimes, ctimes])
    for (const bytes of column.raw()) digester.update(bytes);
}

/** Rows whose names and numbers are hashed together, and how many numbers there are for each. */
const AT_ONCE = 4096;
const NUMBERS = 5;

/** What the rows say by themselves: the number of a folder depends on what else there is. */
function addRows(columns: FileColumns, rows: Uint32Array, digester: Digester): void {
  for (let start = 0; start < rows.length; start += AT_ONCE) {
    const some = rows.subarray(start, start + AT_ONCE);
    digester.update(numbersOf(columns, some));
    digester.update(textsOf(columns, some));
  }
}

function numbersOf(columns: FileColumns, rows: Uint32Array): Uint8Array {
  const { kinds, details, inodes, mtimes, ctimes } = columns;
  const numbers = new Float64Array(rows.length * NUMBERS);
  let at = 0;
  for (const row of rows) {
    const kind = kinds.get(row);
    numbers[at] = kind;
    numbers[at + 1] = hasSize(kind) ? details.get(row) : 0;
    numbers[at + 2] = inodes.get(row);
    numbers[at + 3] = mtimes.get(row);
    numbers[at + 4] = ctimes.get(row);
    at += NUMBERS;
  }
  return new Uint8Array(numbers.buffer);
}

function hasSize(kind: number): boolean {
  return kind === KINDS.indexOf("file") || kind === KINDS.indexOf("program");
}

/** What comes before a folder and before where a link leads, and behind each text; no name has them in it. */
const [FOLDER, LINK, END] = [Buffer.of(1), Buffer.of(2), Buffer.of(0)] as const;

function textsOf(
  { folders, names, kinds, details, targets, paths }: FileColumns,
  rows: Uint32Array,
): Uint8Array {
  const texts: Buffer[] = [];
  let last: number | undefined;
  for (const row of rows) {
    const folder = folders.get(row);
    if (folder !== last) texts.push(FOLDER, paths.at(folder), END);
    last = folder;
    texts.push(names.at(row), END);
    if (KINDS[kinds.get(row)] === "symlink") texts.push(LINK, targets.at(details.get(row)), END);
  }
  return Buffer.concat(texts);
}

import { paxNumber, SPARSE_MAP } from "./pax.ts";
import { numberOf } from "./read-header.ts";

/** A part of a file that is stored, in bytes; between the parts the file has zeros. */
export interface Fragment {
  readonly offset: number;
  readonly length: number;
}

/** A sparse file, as PAX records describe it (GNU tar, "Storing Sparse Files"). */
interface PaxSparse {
  readonly name: string | undefined;
  /** In bytes, holes included. */
  readonly size: number | undefined;
  /** undefined: the map is before the content (format 1.0). */
  readonly map: string | undefined;
}

/** Returns undefined if the records do not describe a sparse file, or use an unknown format. */
export function paxSparse(records: ReadonlyMap<string, string>): PaxSparse | "damaged" | undefined {
  if (records.size === 0) return undefined;
  const version = [records.get("GNU.sparse.major"), records.get("GNU.sparse.minor")].join(".");
  const map = records.get(SPARSE_MAP);
  const isOld = version === "0.0" || version === "0.1" || (version === "." && map !== undefined);
  if (!isOld && version !== "1.0") return undefined;
  const text = records.get("GNU.sparse.size") ?? records.get("GNU.sparse.realsize");
  const size = text === undefined ? undefined : paxNumber(text);
  if (text !== undefined && size === undefined) return "damaged";
  return { name: records.get("GNU.sparse.name"), size, map: isOld ? (map ?? "") : undefined };
}

/** Reads `offset,length,offset,length`. */
export function readSparseMap(text: string): readonly Fragment[] | undefined {
  return fragmentsOf(text === "" ? [] : text.split(",").map(paxNumber));
}

/** The most entries of a map that are held in memory. */
const MAX_FRAGMENTS = 100_000;

/**
 * Reads the map of format 1.0, which is in whole blocks before the content: a count, then offset
 * and length of each fragment, one decimal number a line.
 */
export class LeadingMap {
  readonly #blocks: Buffer[] = [];
  #lines = 0;

  /** Takes the next block. Returns "more" until the map is complete, undefined if it is damaged. */
  add(block: Buffer): readonly Fragment[] | "more" | undefined {
    this.#blocks.push(Buffer.from(block));
    for (const byte of block) if (byte === NEWLINE) this.#lines += 1;
    const [count] = (this.#blocks[0] ?? block).toString("latin1").split("\n", 1);
    const entries = paxNumber(count ?? "");
    if (entries === undefined || entries > MAX_FRAGMENTS) return undefined;
    if (this.#lines < 1 + 2 * entries) return this.#blocks.length > entries + 1 ? undefined : "more";
    const lines = Buffer.concat(this.#blocks).toString("latin1").split("\n");
    return fragmentsOf(lines.slice(1, 1 + 2 * entries).map(paxNumber));
  }
}

const NEWLINE = 0x0a;

function fragmentsOf(numbers: readonly (number | undefined)[]): readonly Fragment[] | undefined {
  if (numbers.length % 2 !== 0 || numbers.length > 2 * MAX_FRAGMENTS) return undefined;
  const fragments: Fragment[] = [];
  for (let index = 0; index < numbers.length; index += 2) {
    const [offset, length] = [numbers[index], numbers[index + 1]];
    if (offset === undefined || length === undefined) return undefined;
    fragments.push({ offset, length });
  }
  return fragments;
}

/** Offsets in GNU's own sparse header and in the blocks that continue it. */
const OLD = {
  header: { at: 386, entries: 4, isExtended: 482 },
  extension: { at: 0, entries: 21, isExtended: 504 },
  size: 483,
} as const;

/** Returns the size, with holes, in GNU's own sparse header; undefined if it is no number. */
export function oldSparseSize(header: Buffer): number | undefined {
  const size = numberOf(header, OLD.size, 12);
  return size === undefined || size < 0 ? undefined : size;
}

interface OldSparseBlock {
  readonly fragments: readonly Fragment[];
  /** Whether another block of the map follows. */
  readonly isExtended: boolean;
}

export function readOldSparse(block: Buffer, where: "header" | "extension"): OldSparseBlock | undefined {
  const { at, entries, isExtended } = OLD[where];
  const fragments: Fragment[] = [];
  for (let index = 0; index < entries && block[at + index * 24] !== 0; index++) {
    const offset = numberOf(block, at + index * 24, 12);
    const length = numberOf(block, at + index * 24 + 12, 12);
    if (offset === undefined || length === undefined) return undefined;
    fragments.push({ offset, length });
  }
  return { fragments, isExtended: (block[isExtended] ?? 0) > 0 };
}

/** Returns whether fragments are in order, within the file, and as long as the stored bytes. */
export function isSparseFile(fragments: readonly Fragment[], size: number, stored: number): boolean {
  let end = 0;
  let total = 0;
  for (const { offset, length } of fragments) {
    if (offset < end || length < 0 || offset + length > size) return false;
    end = offset + length;
    total += length;
  }
  return total === stored;
}

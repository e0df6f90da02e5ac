import type { FilePart } from "./file-part.ts";

/**
 * The dynamic section of an ELF file (System V gABI; LSB, "Symbol Versioning"). Empty if it cannot
 * be read.
 */
export interface Dynamic {
  readonly interpreter?: string;
  /** DT_NEEDED. */
  readonly needed: readonly string[];
  /** Names of the versions in .gnu.version_r. */
  readonly versions: readonly string[];
  /** Names of the versions in .gnu.version_d. */
  readonly defined: readonly string[];
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

const [LOAD, DYNAMIC, INTERPRETER] = [1, 2, 3];
const [NEEDED, STRINGS] = [1, 5];
const [VERSIONS_DEFINED, VERSIONS_NEEDED] = [0x6ffffffc, 0x6ffffffe];
/** Limits for hostile files. */
const MOST_SEGMENTS = 128;
const MOST_ENTRIES = 2048;
const MOST_VERSIONS = 512;
const LONGEST_NAME = 256;

/** Reads the dynamic section of a 64-bit little-endian file. */
export function readDynamic(file: FilePart): Dynamic {
  const segments = segmentsOf(file);
  const interpreter = textOf(
    file,
    segments.find(({ type }) => type === INTERPRETER),
  );
  const tags = tagsOf(
    file,
    segments.find(({ type }) => type === DYNAMIC),
  );
  const offsetOf = (tag: number) => placeOf(tags.find(([found]) => found === tag)?.[1], segments);
  const strings = offsetOf(STRINGS);
  const name = (at: number) => (strings === undefined ? undefined : nameAt(file, strings + at));
  return {
    ...(interpreter !== undefined && { interpreter }),
    needed: tags.flatMap(([tag, at]) => (tag === NEEDED ? (name(at) ?? []) : [])),
    versions: [...versionsNeeded(file, offsetOf(VERSIONS_NEEDED))].flatMap((at) => name(at) ?? []),
    defined: [...versionsDefined(file, offsetOf(VERSIONS_DEFINED))].flatMap((at) => name(at) ?? []),
  };
}

function segmentsOf(file: FilePart): readonly Segment[] {
  const header = file.read(0, 64);
  if (!header) return [];
  const at = Number(header.readBigUInt64LE(32));
  const size = header.readUInt16LE(54);
  const count = Math.min(header.readUInt16LE(56), MOST_SEGMENTS);
  const table = size < 56 ? undefined : file.read(at, size * count);
  if (!table) return [];
  return Array.from({ length: count }, (_, index) => ({
    type: table.readUInt32LE(index * size),
    offset: Number(table.readBigUInt64LE(index * size + 8)),
    address: Number(table.readBigUInt64LE(index * size + 16)),
    size: Number(table.readBigUInt64LE(index * size + 32)),
  }));
}

function tagsOf(
  file: FilePart,
  segment: Segment | undefined,
): readonly (readonly [tag: number, value: number])[] {
  const length = Math.min(segment?.size ?? 0, MOST_ENTRIES * 16);
  const table = segment && file.read(segment.offset, length - (length % 16));
  if (!table) return [];
  return Array.from({ length: table.length / 16 }, (_, index) => [
    Number(table.readBigUInt64LE(index * 16)),
    Number(table.readBigUInt64LE(index * 16 + 8)),
  ]);
}

/** Converts an address in memory to an offset in the file, by the segment that holds it. */
function placeOf(address: number | undefined, segments: readonly Segment[]): number | undefined {
  if (address === undefined) return undefined;
  const segment = segments.find(
    (one) => one.type === LOAD && address >= one.address && address < one.address + one.size,
  );
  return segment && segment.offset + address - segment.address;
}

/**
 * Yields the name offsets in Elf64_Verneed {version, cnt: u16; file, aux, next: u32} and
 * Elf64_Vernaux {hash: u32; flags, other: u16; name, next: u32}.
 */
function* versionsNeeded(file: FilePart, start: number | undefined): Generator<number> {
  let left = MOST_VERSIONS;
  for (let at = start; at !== undefined && left > 0; ) {
    const need = file.read(at, 16);
    if (!need) return;
    for (let aux: number | undefined = at + need.readUInt32LE(8); aux !== undefined && left-- > 0; ) {
      const entry: Buffer | undefined = file.read(aux, 16);
      if (!entry) return;
      yield entry.readUInt32LE(8);
      aux = next(aux, entry.readUInt32LE(12));
    }
    at = next(at, need.readUInt32LE(12));
  }
}

/**
 * Yields the name offsets in Elf64_Verdef {version, flags, ndx, cnt: u16; hash, aux, next: u32} and
 * Elf64_Verdaux {name, next: u32}.
 */
function* versionsDefined(file: FilePart, start: number | undefined): Generator<number> {
  let left = MOST_VERSIONS;
  for (let at = start; at !== undefined && left-- > 0; ) {
    const definition = file.read(at, 20);
    const entry = definition && file.read(at + definition.readUInt32LE(12), 8);
    if (!definition || !entry) return;
    yield entry.readUInt32LE(0);
    at = next(at, definition.readUInt32LE(16));
  }
}

function next(at: number, distance: number): number | undefined {
  return distance === 0 ? undefined : at + distance;
}

function textOf(file: FilePart, segment: Segment | undefined): string | undefined {
  return segment && segment.size < 4096 ? nameAt(file, segment.offset) : undefined;
}

function nameAt(file: FilePart, at: number): string | undefined {
  const bytes = file.read(at, Math.min(LONGEST_NAME, file.size - at));
  const end = bytes?.indexOf(0) ?? -1;
  return bytes && end >= 0 ? bytes.toString("utf8", 0, end) : undefined;
}

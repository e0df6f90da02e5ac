import type { FilePart } from "./file-part.ts";

/** The dynamic section (System V gABI; LSB, "Symbol Versioning"); empty if it cannot be read. */
export interface Dynamic {
  readonly interpreter?: string;
  /** DT_NEEDED. */
  readonly needed: readonly string[];
  /** Names of the versions in .gnu.version_r. */
  readonly versions: readonly string[];
  /** Names of the versions in .gnu.version_d. */
  readonly defined: readonly string[];
  /** Returns the names of symbols and libraries, each followed by a zero; undefined if unreadable. */
  readonly names: () => Buffer | undefined;
  /** Returns NODE_MODULE_VERSION of an addon that the macro NODE_MODULE registers. */
  readonly nodeModuleVersion: () => number | undefined;
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

const [LOAD, DYNAMIC, INTERPRETER] = [1, 2, 3];
const [NEEDED, STRINGS, RELOCATIONS, RELOCATIONS_SIZE, STRINGS_SIZE] = [1, 5, 7, 8, 10];
/** R_X86_64_RELATIVE and R_AARCH64_RELATIVE. */
const RELATIVE = [8, 1027];
const [VERSIONS_DEFINED, VERSIONS_NEEDED] = [0x6ffffffc, 0x6ffffffe];
/** Limits for hostile files. */
const MAX_SEGMENTS = 128;
const MAX_ENTRIES = 2048;
const MAX_VERSIONS = 512;
const MAX_RELOCATIONS = 100_000;
const LONGEST_NAME = 256;
/** In bytes: the start of a file, which a layer scan keeps, and the most that is read at once. */
const HEAD = 4 * 1024 * 1024;

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
  const tagged = (tag: number) => tags.find(([found]) => found === tag)?.[1];
  const offsetOf = (tag: number) => placeOf(tagged(tag), segments);
  const strings = offsetOf(STRINGS);
  const name = (at: number) => (strings === undefined ? undefined : nameAt(file, strings + at));
  return {
    ...(interpreter !== undefined && { interpreter }),
    needed: tags.flatMap(([tag, at]) => (tag === NEEDED ? (name(at) ?? []) : [])),
    versions: [...versionsNeeded(file, offsetOf(VERSIONS_NEEDED))].flatMap((at) => name(at) ?? []),
    defined: [...versionsDefined(file, offsetOf(VERSIONS_DEFINED))].flatMap((at) => name(at) ?? []),
    names: () => {
      if (strings === undefined) return undefined;
      const most = strings < HEAD ? HEAD - strings : HEAD;
      return file.read(strings, Math.min(tagged(STRINGS_SIZE) ?? 0, most));
    },
    nodeModuleVersion: () => {
      const pointers = pointersOf(file, offsetOf(RELOCATIONS), tagged(RELOCATIONS_SIZE) ?? 0);
      return nodeModuleVersion(file, pointers, segments);
    },
  };
}

/** Reads Elf64_Rela {offset, info: u64; addend: i64}. Returns addresses by the address of a pointer to them. */
function pointersOf(file: FilePart, start: number | undefined, size: number): ReadonlyMap<number, number> {
  const table = start === undefined ? undefined : file.read(start, Math.min(size, MAX_RELOCATIONS * 24));
  const pointers = new Map<number, number>();
  for (let at = 0; table && at + 24 <= table.length; at += 24)
    if (RELATIVE.includes(table.readUInt32LE(at + 8)))
      pointers.set(Number(table.readBigUInt64LE(at)), Number(table.readBigInt64LE(at + 16)));
  return pointers;
}

/**
 * Finds the struct `node::node_module` of node.h: {version: int, flags: unsigned, handle, filename,
 * register, registerContext, name, ...}, by its pointers to the name of a source file and to a name.
 */
function nodeModuleVersion(
  file: FilePart,
  pointers: ReadonlyMap<number, number>,
  segments: readonly Segment[],
): number | undefined {
  for (const [pointer, target] of pointers) {
    const name = placeOf(target, segments);
    const isSource = name !== undefined && /\.(?:c|cc|cpp|cxx|mm)$/.test(nameAt(file, name) ?? "");
    const at = isSource && pointers.has(pointer + 24) ? placeOf(pointer - 16, segments) : undefined;
    const head = at === undefined ? undefined : file.read(at, 16);
    if (head && head.readUInt32LE(0) <= 999 && head.readUInt32LE(4) === 0 && head.readBigUInt64LE(8) === 0n)
      return head.readUInt32LE(0);
  }
  return undefined;
}

function segmentsOf(file: FilePart): readonly Segment[] {
  const header = file.read(0, 64);
  if (!header) return [];
  const at = Number(header.readBigUInt64LE(32));
  const size = header.readUInt16LE(54);
  const count = Math.min(header.readUInt16LE(56), MAX_SEGMENTS);
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
  const length = Math.min(segment?.size ?? 0, MAX_ENTRIES * 16);
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
  let left = MAX_VERSIONS;
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
  let left = MAX_VERSIONS;
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

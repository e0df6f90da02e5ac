export interface ElfParts {
  readonly machine?: "x86_64" | "arm64";
  /** Names in .gnu.version_r of libc.so.6. */
  readonly versions?: readonly string[];
  readonly needed?: readonly string[];
  readonly interpreter?: string;
  /** Names in .gnu.version_d. */
  readonly defined?: readonly string[];
  /** Names of symbols that it defines. */
  readonly symbols?: readonly string[];
  /** NODE_MODULE_VERSION in the struct that the macro NODE_MODULE of node.h makes. */
  readonly nodeModule?: number;
}

const MACHINES = { x86_64: 62, arm64: 183 } as const;
const HEADER = 64;
const SEGMENT = 56;

/** A 64-bit ELF file that holds what loaders read, each address being its place in the file. It runs nowhere. */
export function elf({
  machine = "x86_64",
  versions = [],
  needed = [],
  interpreter,
  defined = [],
  symbols = [],
  nodeModule,
}: ElfParts = {}): Buffer {
  const strings = stringTable([
    ...needed,
    ...versions,
    ...defined,
    ...symbols,
    ...(interpreter === undefined ? [] : [interpreter]),
    ...(nodeModule === undefined ? [] : ["node_module_register", "addon.cc", "addon"]),
  ]);
  const stringsAt = HEADER + 3 * SEGMENT;
  const needAt = stringsAt + strings.bytes.length;
  const need = versionNeeds(versions, strings.at);
  const definedAt = needAt + need.length;
  const definitions = versionDefinitions(defined, strings.at);
  const moduleAt = definedAt + definitions.length;
  const module = nodeModule === undefined ? Buffer.alloc(0) : words64(nodeModule, 0, 0, 0, 0, 0, 0, 0);
  const relocationsAt = moduleAt + module.length;
  const relative = machine === "arm64" ? 1027 : 8;
  const relocations =
    nodeModule === undefined
      ? Buffer.alloc(0)
      : Buffer.concat([
          words64(moduleAt + 16, relative, stringsAt + strings.at("addon.cc")),
          words64(moduleAt + 40, relative, stringsAt + strings.at("addon")),
        ]);
  const dynamicAt = relocationsAt + relocations.length;
  const tags: (readonly [number, number])[] = [
    ...needed.map((name) => [1, strings.at(name)] as const),
    [5, stringsAt],
    [10, strings.bytes.length],
    ...(versions.length > 0 ? [[0x6ffffffe, needAt] as const] : []),
    ...(defined.length > 0 ? [[0x6ffffffc, definedAt] as const] : []),
    ...(nodeModule === undefined
      ? []
      : ([
          [7, relocationsAt],
          [8, relocations.length],
        ] as const)),
    [0, 0],
  ];
  const dynamic = Buffer.concat(tags.map(([tag, value]) => words64(tag, value)));
  const size = dynamicAt + dynamic.length;
  const interpreterAt = stringsAt + (interpreter === undefined ? 0 : strings.at(interpreter));
  const segments = [
    segment(1, 0, size),
    segment(2, dynamicAt, dynamic.length),
    interpreter === undefined ? Buffer.alloc(SEGMENT) : segment(3, interpreterAt, interpreter.length + 1),
  ];
  return Buffer.concat([
    header(MACHINES[machine]),
    ...segments,
    strings.bytes,
    need,
    definitions,
    module,
    relocations,
    dynamic,
  ]);
}

function header(machine: number): Buffer {
  const bytes = Buffer.alloc(HEADER);
  bytes.write("\u007fELF", 0, "latin1");
  bytes.set([2, 1, 1], 4);
  bytes.writeUInt16LE(3, 16);
  bytes.writeUInt16LE(machine, 18);
  bytes.writeBigUInt64LE(BigInt(HEADER), 32);
  bytes.writeUInt16LE(SEGMENT, 54);
  bytes.writeUInt16LE(3, 56);
  return bytes;
}

function segment(type: number, offset: number, size: number): Buffer {
  const bytes = Buffer.alloc(SEGMENT);
  bytes.writeUInt32LE(type, 0);
  bytes.writeBigUInt64LE(BigInt(offset), 8);
  bytes.writeBigUInt64LE(BigInt(offset), 16);
  bytes.writeBigUInt64LE(BigInt(size), 32);
  return bytes;
}

function stringTable(names: readonly string[]) {
  const bytes = Buffer.from(`\0${names.map((name) => `${name}\0`).join("")}`);
  return { bytes, at: (name: string) => bytes.indexOf(`\0${name}\0`) + 1 };
}

function versionNeeds(names: readonly string[], at: (name: string) => number): Buffer {
  if (names.length === 0) return Buffer.alloc(0);
  const head = Buffer.alloc(16);
  head.writeUInt16LE(1, 0);
  head.writeUInt16LE(names.length, 2);
  head.writeUInt32LE(16, 8);
  const entries = names.map((name, index) => {
    const entry = Buffer.alloc(16);
    entry.writeUInt32LE(at(name), 8);
    entry.writeUInt32LE(index < names.length - 1 ? 16 : 0, 12);
    return entry;
  });
  return Buffer.concat([head, ...entries]);
}

function versionDefinitions(names: readonly string[], at: (name: string) => number): Buffer {
  return Buffer.concat(
    names.map((name, index) => {
      const entry = Buffer.alloc(28);
      entry.writeUInt32LE(20, 12);
      entry.writeUInt32LE(index < names.length - 1 ? 28 : 0, 16);
      entry.writeUInt32LE(at(name), 20);
      return entry;
    }),
  );
}

function words64(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), index * 8);
  return bytes;
}

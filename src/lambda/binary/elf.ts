import type { BinaryFacts } from "./binary.ts";
import { type Dynamic, readDynamic } from "./elf-dynamic.ts";
import type { FilePart } from "./file-part.ts";

/** elf(5), e_machine. */
const MACHINES: Readonly<Record<number, string>> = {
  3: "x86",
  8: "mips",
  20: "ppc",
  21: "ppc64",
  22: "s390x",
  40: "arm",
  62: "x86_64",
  183: "arm64",
  243: "riscv",
  258: "loongarch",
};

/** EI_OSABI of systems that are not Linux (System V gABI). */
const SYSTEMS: Readonly<Record<number, string>> = { 2: "NetBSD", 6: "Solaris", 9: "FreeBSD", 12: "OpenBSD" };
/** The C libraries of systems that leave EI_OSABI at 0; Android's libraries have no version. */
const C_LIBRARIES: readonly (readonly [pattern: RegExp, system: string])[] = [
  [/^libc\.so\.7$/, "FreeBSD"],
  [/^libc\.so\.12$/, "NetBSD"],
  [/^libc\.so\.\d{2,3}\.\d+$/, "OpenBSD"],
  [/^libc\.so\.1$/, "Solaris"],
  [/^lib(?:m|dl|log)\.so$/, "Android"],
];

const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;

/** Reads an ELF file; only the machine of one that is not 64-bit little-endian. */
export function readElf(file: FilePart): BinaryFacts | undefined {
  const header = file.read(0, 20);
  if (!header) return undefined;
  const little = header[5] === LITTLE_ENDIAN;
  const machine = little ? header.readUInt16LE(18) : header.readUInt16BE(18);
  const facts = { format: "elf", machines: [MACHINES[machine] ?? `machine ${machine}`] } as const;
  if (!little || header[4] !== CLASS_64) return facts;
  const dynamic = readDynamic(file);
  const abi = nodeAbiOf(dynamic);
  const system =
    SYSTEMS[header[7] ?? 0] ??
    C_LIBRARIES.find(([pattern]) => dynamic.needed.some((name) => pattern.test(name)))?.[1];
  return {
    ...facts,
    ...(system !== undefined && { system }),
    ...asked(dynamic),
    ...(abi !== undefined && { nodeAbi: abi }),
  };
}

function asked({ interpreter, needed, versions, defined }: Dynamic): Partial<BinaryFacts> {
  const glibc = newest("GLIBC", versions);
  const providesGlibc = newest("GLIBC", defined);
  const glibcxx = needed.includes("libstdc++.so.6") ? newest("GLIBCXX", versions) : undefined;
  const providesGlibcxx = newest("GLIBCXX", defined);
  const libc = cLibrary([...needed, interpreter ?? ""], glibc);
  return {
    ...(libc && { libc }),
    ...(glibc !== undefined && { glibc }),
    ...(providesGlibc !== undefined && { providesGlibc }),
    ...(glibcxx !== undefined && { glibcxx }),
    ...(providesGlibcxx !== undefined && { providesGlibcxx }),
    ...(interpreter !== undefined && { interpreter }),
    ...(needed.length > 0 && { needed: needed.slice(0, MAX_NEEDED) }),
  };
}

function cLibrary(names: readonly string[], glibc: string | undefined): BinaryFacts["libc"] {
  if (names.some((name) => /(?:^|\/)(?:ld-musl-|libc\.musl-|libc\.so$)/.test(name))) return "musl";
  return glibc !== undefined || names.includes("libc.so.6") ? "glibc" : undefined;
}

const MAX_NEEDED = 100;
const REGISTERS = "\0node_register_module_v";

/**
 * node.h puts NODE_MODULE_VERSION into the name of a symbol (NODE_MODULE_INITIALIZER), or into a
 * struct that the addon passes to node_module_register (NODE_MODULE).
 */
function nodeAbiOf({ names, nodeModuleVersion }: Dynamic): number | undefined {
  const table = names();
  const at = table?.indexOf(REGISTERS) ?? -1;
  if (!table || at < 0) return table?.includes("\0node_module_register\0") ? nodeModuleVersion() : undefined;
  const digits = /^\d{2,4}/.exec(table.toString("latin1", at + REGISTERS.length, at + REGISTERS.length + 4));
  return digits ? Number(digits[0]) : undefined;
}

/** Returns `2.34` for GLIBC in `GLIBC_2.2.5`, `GLIBC_2.34`, `GLIBCXX_3.4`. */
function newest(library: string, versions: readonly string[]): string | undefined {
  return versions
    .filter((name) => name.startsWith(`${library}_`))
    .flatMap((name) => /^\d+(?:\.\d+)+$/.exec(name.slice(library.length + 1))?.[0] ?? [])
    .sort(compareVersions)
    .at(-1);
}

/** Compares versions part by part as numbers: 2.9 is before 2.17. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number)) as [number[], number[]]; // two in, two out
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

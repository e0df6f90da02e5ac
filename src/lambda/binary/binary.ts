import { readElf } from "./elf.ts";
import type { FilePart } from "./file-part.ts";

/** What an executable or a library is built for. */
export interface BinaryFacts {
  readonly format: "elf" | "mach-o" | "pe";
  /** With Lambda's names for x86_64 and arm64. A universal Mach-O file has several. */
  readonly machines: readonly string[];
  /** The system that an ELF file is for, where that is not Linux: `FreeBSD`. */
  readonly system?: string;
  /** The C library that it needs. Absent if it needs none. */
  readonly libc?: "glibc" | "musl";
  /** The newest version of glibc that it needs: `2.34`. */
  readonly glibc?: string;
  /** The newest version of glibc that it provides: only libc.so.6 has one. */
  readonly providesGlibc?: string;
  /** The newest version of libstdc++ that it needs: `3.4.31` of GLIBCXX_3.4.31. */
  readonly glibcxx?: string;
  /** The newest version of libstdc++ that it provides. */
  readonly providesGlibcxx?: string;
  /** The loader of a dynamically linked executable. */
  readonly interpreter?: string;
  /** The libraries that it needs (DT_NEEDED). */
  readonly needed?: readonly string[];
  /** NODE_MODULE_VERSION of an addon that does not use Node-API. */
  readonly nodeAbi?: number;
  /** Whether it is .NET code in a PE file, which runs on every platform. */
  readonly managed?: boolean;
}

/**
 * The parts of a file that are read, in bytes: the start, and the end, to which patchelf and
 * auditwheel move sections.
 */
export const BINARY_PARTS = { head: 4 * 1024 * 1024, tail: 2 * 1024 * 1024 } as const;

/**
 * Reads a binary. Returns undefined for other files. Reads at most a few hundred parts; a damaged
 * file gives fewer facts.
 */
export function readBinary(file: FilePart): BinaryFacts | undefined {
  const magic = file.read(0, 4)?.toString("latin1");
  if (magic === undefined) return undefined;
  if (magic === "\u007fELF") return readElf(file);
  return magic.startsWith("MZ") ? readPe(file) : readMachO(file);
}

const CLASS_MAGIC = 0xcafebabe;
/** Class file version 45 is Java 1.1, 52 is Java 8 (JVMS, table 4.1-A). */
const CLASS_VERSION_BEFORE_JAVA_1 = 44;

/**
 * Returns the Java version that a class was compiled for (21 for class file version 65), from the
 * first eight bytes of its file.
 */
export function classVersion(header: Buffer): number | undefined {
  if (header.length < 8 || header.readUInt32BE(0) !== CLASS_MAGIC) return undefined;
  return header.readUInt16BE(6) - CLASS_VERSION_BEFORE_JAVA_1;
}

/** <mach/machine.h>, CPU_TYPE_*. */
const MACH_O_MACHINES: Readonly<Record<number, string>> = {
  7: "x86",
  12: "arm",
  16777223: "x86_64",
  16777228: "arm64",
};

const THIN = ["cffaedfe", "cefaedfe"];
const FAT = "cafebabe";
/** Java's class files have the same magic number, and then their version, at least 45. */
const MAX_MACHINES = 20;

/** Reads a binary of macOS. Returns undefined for other files. */
function readMachO(file: FilePart): BinaryFacts | undefined {
  const header = file.read(0, 8);
  const magic = header?.toString("hex", 0, 4) ?? "";
  if (header && THIN.includes(magic))
    return { format: "mach-o", machines: [machOMachine(header.readUInt32LE(4))] };
  const count = header && magic === FAT ? header.readUInt32BE(4) : 0;
  const table = count > 0 && count <= MAX_MACHINES ? file.read(8, count * 20) : undefined;
  if (!table) return undefined;
  const machines = Array.from({ length: count }, (_, index) => machOMachine(table.readUInt32BE(index * 20)));
  return { format: "mach-o", machines };
}

function machOMachine(type: number): string {
  return MACH_O_MACHINES[type] ?? `CPU type ${type}`;
}

/** PE format, "Machine Types". */
const PE_MACHINES: Readonly<Record<number, string>> = {
  332: "x86",
  452: "arm",
  34404: "x86_64",
  43620: "arm64",
};

/** In the optional header of 64-bit files the table of directories is 16 bytes later. */
const PE32_PLUS = 0x20b;
/** The directory of .NET's code is the fifteenth; each has 8 bytes. */
const CLR_AT = 14 * 8;

/** Reads a file that begins with MZ. Returns undefined if no PE header follows. */
function readPe(file: FilePart): BinaryFacts | undefined {
  const at = file.read(0x3c, 4)?.readUInt32LE(0);
  const header = at === undefined ? undefined : file.read(at, 26);
  if (at === undefined || header?.toString("latin1", 0, 4) !== "PE\0\0") return undefined;
  const machine = header.readUInt16LE(4);
  const directories = at + 24 + (header.readUInt16LE(24) === PE32_PLUS ? 112 : 96);
  const managed = (file.read(directories + CLR_AT, 4)?.readUInt32LE(0) ?? 0) !== 0;
  return { format: "pe", machines: [PE_MACHINES[machine] ?? `machine ${machine}`], managed };
}

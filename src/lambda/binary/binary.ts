import { readElf } from "./elf.ts";
import type { FilePart } from "./file-part.ts";
import { readMachO } from "./mach-o.ts";
import { readPe } from "./pe.ts";

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

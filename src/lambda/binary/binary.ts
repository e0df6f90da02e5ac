import { readElf } from "./elf.ts";
import type { FilePart } from "./file-part.ts";
import { readMachO } from "./mach-o.ts";
import { readPe } from "./pe.ts";

/** What an executable or a library is made for. */
export interface BinaryFacts {
  readonly format: "elf" | "mach-o" | "pe";
  /** Lambda's names where Lambda has such a machine; a universal Mach-O has several. */
  readonly machines: readonly string[];
  /** The C library that it asks for; absent where it asks for none. */
  readonly libc?: "glibc" | "musl";
  /** The newest version of glibc that it asks for: `2.34`. */
  readonly glibc?: string;
  /** The newest version of glibc that it is itself: only libc.so.6 says one. */
  readonly providesGlibc?: string;
  /** The program that loads it, of an executable that is not static. */
  readonly interpreter?: string;
  /** The libraries that it needs (DT_NEEDED). */
  readonly needed?: readonly string[];
  /** NODE_MODULE_VERSION of an addon that is not on Node-API. */
  readonly nodeAbi?: number;
  /** .NET code in a PE file, which runs everywhere. */
  readonly managed?: boolean;
}

/** How much of a file is enough: what a loader reads first, and what patchelf and auditwheel move to the end. */
export const BINARY_PARTS = { head: 4 * 1024 * 1024, tail: 2 * 1024 * 1024 } as const;

/** undefined for what is no binary of Linux, macOS or Windows. Reads some hundred places at most; damaged ones say less. */
export function readBinary(file: FilePart): BinaryFacts | undefined {
  const magic = file.read(0, 4)?.toString("latin1");
  if (magic === undefined) return undefined;
  if (magic === "\u007fELF") return readElf(file);
  return magic.startsWith("MZ") ? readPe(file) : readMachO(file);
}

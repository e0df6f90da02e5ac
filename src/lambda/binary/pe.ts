import type { BinaryFacts } from "./binary.ts";
import type { FilePart } from "./file-part.ts";

/** PE format, "Machine Types". */
const MACHINES: Readonly<Record<number, string>> = {
  332: "x86",
  452: "arm",
  34404: "x86_64",
  43620: "arm64",
};

/**
 * The optional header of 64-bit files, which has its table of directories 16 bytes later than that
 * of 32-bit ones.
 */
const PE32_PLUS = 0x20b;
/** The directory of .NET's code is the fifteenth; each has 8 bytes. */
const CLR_AT = 14 * 8;

/** Reads a file that begins with MZ. Returns undefined if no PE header follows. */
export function readPe(file: FilePart): BinaryFacts | undefined {
  const at = file.read(0x3c, 4)?.readUInt32LE(0);
  const header = at === undefined ? undefined : file.read(at, 26);
  if (at === undefined || header?.toString("latin1", 0, 4) !== "PE\0\0") return undefined;
  const machine = header.readUInt16LE(4);
  const directories = at + 24 + (header.readUInt16LE(24) === PE32_PLUS ? 112 : 96);
  const managed = (file.read(directories + CLR_AT, 4)?.readUInt32LE(0) ?? 0) !== 0;
  return { format: "pe", machines: [MACHINES[machine] ?? `machine ${machine}`], managed };
}

import type { BinaryFacts } from "./binary.ts";
import type { FilePart } from "./file-part.ts";

/** <mach/machine.h>, CPU_TYPE_*. */
const MACHINES: Readonly<Record<number, string>> = {
  7: "x86",
  12: "arm",
  16777223: "x86_64",
  16777228: "arm64",
};

const THIN = ["cffaedfe", "cefaedfe"];
const FAT = "cafebabe";
/**
 * Java's class files have the same magic number, followed by their version, which is 45 or more.
 */
const MAX_MACHINES = 20;

/** Reads a binary of macOS. Returns undefined for other files. */
export function readMachO(file: FilePart): BinaryFacts | undefined {
  const header = file.read(0, 8);
  const magic = header?.toString("hex", 0, 4) ?? "";
  if (header && THIN.includes(magic)) return { format: "mach-o", machines: [nameOf(header.readUInt32LE(4))] };
  const count = header && magic === FAT ? header.readUInt32BE(4) : 0;
  const table = count > 0 && count <= MAX_MACHINES ? file.read(8, count * 20) : undefined;
  if (!table) return undefined;
  const machines = Array.from({ length: count }, (_, index) => nameOf(table.readUInt32BE(index * 20)));
  return { format: "mach-o", machines };
}

function nameOf(type: number): string {
  return MACHINES[type] ?? `CPU type ${type}`;
}

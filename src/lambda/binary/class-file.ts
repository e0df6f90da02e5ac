const MAGIC = 0xcafebabe;
/** Class file version 45 is Java 1.1, 52 is Java 8 (JVMS, table 4.1-A). */
const FIRST = 44;

/**
 * Returns the Java version that a class was compiled for (21 for class file version 65), from the
 * first eight bytes of its file.
 */
export function classVersion(header: Buffer): number | undefined {
  if (header.length < 8 || header.readUInt32BE(0) !== MAGIC) return undefined;
  return header.readUInt16BE(6) - FIRST;
}

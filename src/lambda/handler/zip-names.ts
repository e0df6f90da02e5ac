import type { FilePart } from "../binary/file-part.ts";

/** APPNOTE.TXT 4.3.16: the end of central directory record, and the longest comment that may follow it. */
const END = 0x06054b50;
const END_LENGTH = 22;
const LONGEST_COMMENT = 0xffff;
/** APPNOTE.TXT 4.3.12. */
const ENTRY = 0x02014b50;
const ENTRY_LENGTH = 46;
const MOST_NAMES = 100_000;

/** The names in a zip (a jar), from the directory at its end. undefined where that is not there, damaged or not at hand. */
export function zipNames(file: FilePart): readonly string[] | undefined {
  const reach = Math.min(file.size, END_LENGTH + LONGEST_COMMENT);
  const tail = file.read(file.size - reach, reach);
  const end = tail?.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6])) ?? -1;
  if (!tail || end < 0 || end + END_LENGTH > tail.length || tail.readUInt32LE(end) !== END) return undefined;
  const directory = file.read(tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
  return directory && namesIn(directory);
}

function namesIn(directory: Buffer): readonly string[] {
  const names: string[] = [];
  for (let at = 0; at + ENTRY_LENGTH <= directory.length && names.length < MOST_NAMES; ) {
    if (directory.readUInt32LE(at) !== ENTRY) break;
    const length = directory.readUInt16LE(at + 28);
    names.push(directory.toString("utf8", at + ENTRY_LENGTH, at + ENTRY_LENGTH + length));
    at += ENTRY_LENGTH + length + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return names;
}

import { constants, inflateRawSync } from "node:zlib";
import type { FilePart } from "../binary/file-part.ts";

/** The end of central directory record, and the longest comment after it (APPNOTE.TXT 4.3.16). */
const END = "PK\u0005\u0006";
const END_LENGTH = 22;
const LONGEST_COMMENT = 0xffff;
/** The central directory header (APPNOTE.TXT 4.3.12). */
const ENTRY = 0x02014b50;
const ENTRY_LENGTH = 46;
const MAX_NAMES = 100_000;

/** The names in a zip. undefined: its directory is damaged or was not read. */
export type ZipNames = readonly string[] | "not a zip" | undefined;

/** Lists the names in a zip (a jar). */
export function zipNames(file: FilePart): ZipNames {
  const directory = directoryOf(file);
  return Buffer.isBuffer(directory) ? [...entriesIn(directory)].map(({ name }) => name) : directory;
}

/** Reads the first `length` bytes of a file in a zip. Returns undefined if they cannot be read. */
export function readZipEntry(file: FilePart, name: string, length: number): Buffer | undefined {
  const directory = directoryOf(file);
  if (!Buffer.isBuffer(directory)) return undefined;
  for (const entry of entriesIn(directory)) if (entry.name === name) return headOf(file, entry, length);
  return undefined;
}

interface ZipEntry {
  readonly name: string;
  /** APPNOTE.TXT 4.4.5: 0 is stored, 8 is deflated. */
  readonly method: number;
  readonly size: number;
  readonly offset: number;
}

function directoryOf(file: FilePart): Buffer | "not a zip" | undefined {
  const reach = Math.min(file.size, END_LENGTH + LONGEST_COMMENT);
  const tail = file.read(file.size - reach, reach);
  if (!tail) return undefined;
  const end = tail.lastIndexOf(END);
  if (end < 0 || end + END_LENGTH > tail.length) return "not a zip";
  return file.read(tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
}

function* entriesIn(directory: Buffer): Generator<ZipEntry> {
  let left = MAX_NAMES;
  for (let at = 0; at + ENTRY_LENGTH <= directory.length && left-- > 0; ) {
    if (directory.readUInt32LE(at) !== ENTRY) return;
    const length = directory.readUInt16LE(at + 28);
    yield {
      name: directory.toString("utf8", at + ENTRY_LENGTH, at + ENTRY_LENGTH + length),
      method: directory.readUInt16LE(at + 10),
      size: directory.readUInt32LE(at + 20),
      offset: directory.readUInt32LE(at + 42),
    };
    at += ENTRY_LENGTH + length + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
}

/** The local file header (APPNOTE.TXT 4.3.7). */
const LOCAL_LENGTH = 30;
/** In bytes: enough of a deflated file for its first bytes. */
const MAX_DEFLATED_BYTES = 64 * 1024;

function headOf(file: FilePart, { method, size, offset }: ZipEntry, length: number): Buffer | undefined {
  const local = file.read(offset, LOCAL_LENGTH);
  if (!local) return undefined;
  const start = offset + LOCAL_LENGTH + local.readUInt16LE(26) + local.readUInt16LE(28);
  const data = file.read(start, Math.min(size, MAX_DEFLATED_BYTES));
  if (!data || method !== 8) return method === 0 ? data?.subarray(0, length) : undefined;
  try {
    const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 16 * 1024 * 1024 };
    return inflateRawSync(data, options).subarray(0, length);
  } catch {
    return undefined;
  }
}

import { isUtf8 } from "node:buffer";
import { TAR_BLOCK } from "./entry.ts";

/** The kind of an entry (POSIX pax(1), "ustar Interchange Format"); no layer may have `other`. */
export type EntryKind = "file" | "directory" | "symlink" | "hardlink" | "device" | "fifo" | "other";

/** One header block, of an entry or of an extension that describes the next entry. */
export interface TarHeader {
  readonly name: string;
  /** Permission bits, up to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content that follow. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** The type flag: `0`, `5`, `x`, `L` and so on. */
  readonly type: string;
  readonly link: string;
}

const FIELDS = {
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  deviceMajor: [329, 8],
  deviceMinor: [337, 8],
} as const;

const TYPE = 156;
const LINK = { at: 157, length: 100 } as const;
const PREFIX = { at: 345, length: 155, starLength: 131 } as const;

/**
 * Reads a header block. Returns undefined if Go's archive/tar, with which containerd and Docker
 * unpack layers, refuses it: a wrong checksum, a field that is not a number, a negative size.
 */
export function readHeader(block: Buffer): TarHeader | undefined {
  const checksum = fieldOf(block, "checksum");
  if (checksum === undefined || !isChecksum(block, checksum)) return undefined;
  const [mode, uid, gid] = [fieldOf(block, "mode"), fieldOf(block, "uid"), fieldOf(block, "gid")];
  const [size, mtime] = [fieldOf(block, "size"), fieldOf(block, "mtime")];
  if (mode === undefined || uid === undefined || gid === undefined) return undefined;
  if (size === undefined || mtime === undefined || size < 0) return undefined;
  const magic = block.toString("latin1", 257, 262);
  const hasDevices = magic === "ustar";
  if (hasDevices && !(isField(block, "deviceMajor") && isField(block, "deviceMinor"))) return undefined;
  const name = textOf(block, 0, 100);
  const prefix = prefixOf(block);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    mode: mode & 0o7777,
    uid,
    gid,
    size,
    mtime,
    type: String.fromCharCode(block[TYPE] || ZERO),
    link: textOf(block, LINK.at, LINK.length),
  };
}

/** Reads POSIX's prefix. GNU's headers have times in its place, and star's have a shorter one. */
function prefixOf(block: Buffer): string {
  if (block[PREFIX.at] === 0 || block.toString("latin1", 257, 263) !== "ustar\0") return "";
  const isStar = block.toString("latin1", 508, 512) === "tar\0";
  return textOf(block, PREFIX.at, isStar ? PREFIX.starLength : PREFIX.length);
}

const ZERO = 0x30;
const SPACE = 0x20;

function isField(block: Buffer, name: keyof typeof FIELDS): boolean {
  return fieldOf(block, name) !== undefined;
}

function fieldOf(block: Buffer, name: keyof typeof FIELDS): number | undefined {
  const [at, length] = FIELDS[name];
  return numberOf(block, at, length);
}

/**
 * Returns whether the checksum is the sum of all bytes, with spaces in its own place. Old programs
 * added signed bytes (GNU tar, "Checksumming Problems").
 */
function isChecksum(block: Buffer, expected: number): boolean {
  const [at, length] = FIELDS.checksum;
  let sum = length * SPACE;
  let high = 0;
  for (let index = 0; index < TAR_BLOCK; index++) {
    if (index >= at && index < at + length) continue;
    const byte = block[index] ?? 0;
    sum += byte;
    if (byte >= 0x80) high += 1;
  }
  return expected === sum || expected === sum - high * 256;
}

/**
 * Reads octal digits between spaces and zeros, or GNU's base-256 with the highest bit set. Returns
 * undefined if it is neither, or not exact in a number.
 */
export function numberOf(block: Buffer, at: number, length: number): number | undefined {
  if ((block[at] ?? 0) >= 0x80) return base256(block.subarray(at, at + length));
  const end = at + length;
  let index = skipBlanks(block, at, end);
  let value = 0;
  for (; index < end && isOctal(block[index]); index++) value = value * 8 + (block[index] ?? 0) - ZERO;
  const isNumber = block[index] === 0 || skipBlanks(block, index, end) === end;
  return isNumber && Number.isSafeInteger(value) ? value : undefined;
}

function skipBlanks(block: Buffer, from: number, end: number): number {
  let index = from;
  while (index < end && isBlank(block[index])) index++;
  return index;
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === 0;
}

function isOctal(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte < ZERO + 8;
}

/** Reads a two's complement number of 7 + 8 x n bits. */
function base256(field: Buffer): number | undefined {
  const first = field[0] ?? 0;
  let value = first & 0x40 ? first - 0x100 : first & 0x3f;
  for (const byte of field.subarray(1)) value = value * 256 + byte;
  return Number.isSafeInteger(value) ? value : undefined;
}

function textOf(block: Buffer, at: number, length: number): string {
  if (block[at] === 0) return "";
  const zero = block.indexOf(0, at);
  return decodeName(block.subarray(at, zero < 0 || zero > at + length ? at + length : zero));
}

/**
 * Decodes a name. A byte that is not UTF-8 becomes one of the lone surrogates U+DC80 to U+DCFF, as
 * in Python's surrogateescape, so that different names stay different.
 */
export function decodeName(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString();
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((count) => isCharacter(bytes.subarray(at, at + count), count));
    text += length ? bytes.toString("utf8", at, at + length) : String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
    at += length ?? 1;
  }
  return text;
}

function isCharacter(bytes: Buffer, length: number): boolean {
  return bytes.length === length && isUtf8(bytes);
}

const KINDS: Readonly<Record<string, EntryKind>> = {
  "0": "file",
  "7": "file",
  S: "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "device",
  "4": "device",
  "5": "directory",
  "6": "fifo",
};

/** Before POSIX a directory was a file whose name ended in a slash. */
export function kindOf(type: string, name: string): EntryKind {
  if (type === "0" && name.endsWith("/")) return "directory";
  return KINDS[type] ?? "other";
}

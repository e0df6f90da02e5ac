import { type Entry, TAR_BLOCK, tarName } from "./entry.ts";

/** In seconds. A time below 0 or above this, where old readers end, needs an extended header. */
const MAX_SECONDS = 2 ** 31 - 1;

/** The size field has 11 octal digits; a larger size is in base 256, as GNU tar writes it. */
const MAX_OCTAL_SIZE = 8 ** 11;

const NAME = { at: 0, length: 100 };
const MODE = 100;
const SIZE = 124;
const MTIME = 136;
const CHECKSUM = 148;
const TYPE = 156;
const LINK = { at: 157, length: 100 };
const MAGIC = 257;
const PREFIX = { at: 345, length: 155 };

/** The typeflag of each kind; `x` is an extended header. */
const TYPES = { directory: "5", file: "0", symlink: "2", extended: "x" } as const;

/** Owner 0:0 without names, device 0:0, and spaces where the checksum will be. */
const TEMPLATE = Buffer.alloc(TAR_BLOCK);
for (const at of [108, 116, 329, 337]) TEMPLATE.write("000000 ", at, "latin1");
TEMPLATE.fill(" ", CHECKSUM, CHECKSUM + 8);
TEMPLATE.write("ustar\u000000", MAGIC, "latin1");
const MAGIC_SUM = sum(TEMPLATE, MAGIC, PREFIX.at);

interface Fields {
  readonly name: string;
  readonly prefix: string;
  readonly link: string;
  readonly mode: number;
  readonly size: number;
  readonly seconds: number;
  readonly type: (typeof TYPES)[keyof typeof TYPES];
}

/**
 * Writes the header of an entry into `buffer` at `at`, where there is room for a block. Returns
 * false and writes nothing if the entry needs an {@link extendedHeader}.
 */
export function writeHeader(buffer: Buffer, at: number, entry: Entry, mtime: Date): boolean {
  const seconds = secondsOf(mtime);
  if (seconds < 0 || seconds > MAX_SECONDS) return false;
  const link = entry.kind === "symlink" ? entry.target : "";
  if (!isAscii(link) || link.length > LINK.length) return false;
  const place = splitName(tarName(entry));
  if (!place) return false;
  const { name, prefix } = place;
  const { mode, size, type } = factsOf(entry);
  writeBlock(buffer, at, { name, prefix, link, mode, size, seconds, type }); // spreads are slow
  return true;
}

/** Returns a PAX header and the entry's own, for a name, link or time that does not fit there. */
export function extendedHeader(entry: Entry, mtime: Date): Buffer {
  const seconds = secondsOf(mtime);
  const late = seconds < 0 || seconds > MAX_SECONDS;
  const link = entry.kind === "symlink" ? entry.target : undefined;
  const records = Buffer.from(
    paxRecord("path", tarName(entry)) +
      (link ? paxRecord("linkpath", link) : "") +
      (late ? paxRecord("mtime", String(seconds)) : ""),
  );
  const facts = factsOf(entry);
  const shared = {
    name: "PaxHeader",
    prefix: "",
    link: link ? "PaxHeader" : "",
    seconds: late ? 0 : seconds,
  };
  const bytes = Buffer.alloc(2 * TAR_BLOCK + wholeBlocks(records.length));
  writeBlock(bytes, 0, { ...shared, ...facts, size: records.length, type: TYPES.extended });
  records.copy(bytes, TAR_BLOCK);
  writeBlock(bytes, bytes.length - TAR_BLOCK, { ...shared, ...facts });
  return bytes;
}

/** Returns the bytes that contents of this size take in a tar. */
export function wholeBlocks(size: number): number {
  return Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
}

/** Returns the bytes that an entry takes in a tar; with an extended header it takes more. */
export function tarBytes(entry: Entry): number {
  return TAR_BLOCK + (entry.kind === "file" ? wholeBlocks(entry.size) : 0);
}

function secondsOf(mtime: Date): number {
  return Math.floor(mtime.getTime() / 1000);
}

function factsOf(entry: Entry): Pick<Fields, "mode" | "size" | "type"> {
  return {
    mode: entry.kind === "symlink" ? 0o777 : entry.mode,
    size: entry.kind === "file" ? entry.size : 0,
    type: TYPES[entry.kind],
  };
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

/**
 * Returns the name and, if it is too long, as few leading directories as possible as prefix.
 * undefined if readers would disagree: raw UTF-8, a name that does not fit, and a directory whose
 * name field would be empty.
 */
function splitName(path: string): Pick<Fields, "name" | "prefix"> | undefined {
  if (!isAscii(path)) return undefined;
  if (path.length <= NAME.length) return { name: path, prefix: "" };
  const slash = path.indexOf("/", path.length - NAME.length - 1);
  if (slash < 0 || slash === path.length - 1 || slash > PREFIX.length) return undefined;
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash) };
}

function writeBlock(block: Buffer, at: number, fields: Fields): void {
  const { name, prefix, link } = fields;
  TEMPLATE.copy(block, at);
  block.write(name, at + NAME.at, "latin1");
  writeOctal(block, at + MODE, 6, fields.mode);
  writeSize(block, at + SIZE, fields.size);
  writeOctal(block, at + MTIME, 11, fields.seconds);
  block.write(fields.type, at + TYPE, "latin1");
  if (link !== "") block.write(link, at + LINK.at, "latin1");
  if (prefix !== "") block.write(prefix, at + PREFIX.at, "latin1");
  // Most headers have no link and no prefix: the sum of the constant parts is known.
  const checksum =
    sum(block, at, at + LINK.at) +
    (link === "" ? 0 : sum(block, at + LINK.at, at + MAGIC)) +
    MAGIC_SUM +
    (prefix === "" ? 0 : sum(block, at + PREFIX.at, at + TAR_BLOCK));
  writeOctal(block, at + CHECKSUM, 6, checksum);
  block[at + CHECKSUM + 7] = 0;
}

/** Writes `digits` octal digits and a space. */
function writeOctal(block: Buffer, at: number, digits: number, value: number): void {
  let left = value;
  for (let place = at + digits - 1; place >= at; place--) {
    block[place] = 0x30 + (left % 8);
    left = Math.floor(left / 8);
  }
  block[at + digits] = 0x20;
}

function writeSize(block: Buffer, at: number, size: number): void {
  if (size < MAX_OCTAL_SIZE) writeOctal(block, at, 11, size);
  else {
    block.writeUIntBE(0x80_0000_0000_00, at, 6);
    block.writeUIntBE(size, at + 6, 6);
  }
}

function sum(bytes: Buffer, from: number, to: number): number {
  let total = 0;
  for (let at = from; at < to; at++) total += bytes[at] ?? 0;
  return total;
}

/** Returns `<length> <key>=<value>\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + 1;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return `${length} ${key}=${value}\n`;
}

/** What an entry of a layer is, in the words of POSIX pax(1) "ustar Interchange Format"; `other` is what no layer should hold. */
export type EntryKind = "file" | "directory" | "symlink" | "hardlink" | "device" | "fifo" | "other";

/** One header block: either of an entry, or of an extension that says more of the entry after it. */
export interface TarBlock {
  readonly name: string;
  /** Permission bits, up to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes that follow, before PAX has its say. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** The type flag: `0`, `5`, `x`, `L` and so on. */
  readonly type: string;
  readonly link: string;
}

export const BLOCK = 512;

/** undefined where the block is no header: its checksum or its size is wrong. */
export function decodeBlock(block: Buffer): TarBlock | undefined {
  const size = number(block, 124, 12);
  if (size === undefined || number(block, 148, 8) !== sumOf(block)) return undefined;
  // "ustar\0" is POSIX; GNU's "ustar  " has times where POSIX has the prefix.
  const hasPrefix = block[345] !== 0 && block.toString("latin1", 257, 263) === "ustar\0";
  const name = text(block, 0, 100);
  return {
    name: hasPrefix ? `${text(block, 345, 155)}/${name}` : name,
    mode: (number(block, 100, 8) ?? 0) & 0o7777,
    uid: number(block, 108, 8) ?? 0,
    gid: number(block, 116, 8) ?? 0,
    size,
    mtime: number(block, 136, 12) ?? 0,
    type: String.fromCharCode(block[156] || ZERO),
    link: block[157] === 0 ? "" : text(block, 157, 100),
  };
}

const ZERO = 0x30;
const SPACE = 0x20;
const CHECKSUM_AT = 148;
const CHECKSUM_END = 156;

/** The sum of all bytes, those of the checksum itself taken as spaces. */
function sumOf(block: Buffer): number {
  let sum = (CHECKSUM_END - CHECKSUM_AT) * SPACE;
  for (let at = 0; at < CHECKSUM_AT; at++) sum += block[at] ?? 0;
  for (let at = CHECKSUM_END; at < BLOCK; at++) sum += block[at] ?? 0;
  return sum;
}

/** Octal digits between spaces and zeros, or GNU's base-256 with the highest bit set; undefined where it is neither or too large. */
function number(block: Buffer, at: number, length: number): number | undefined {
  if ((block[at] ?? 0) >= 0x80) return base256(block.subarray(at, at + length));
  const end = at + length;
  let index = at;
  while (index < end && block[index] === SPACE) index++;
  let value = 0;
  for (; index < end && isOctal(block[index] ?? 0); index++) value = value * 8 + (block[index] ?? 0) - ZERO;
  const after = index < end ? block[index] : 0;
  return after === 0 || after === SPACE ? value : undefined;
}

function isOctal(byte: number): boolean {
  return byte >= ZERO && byte < ZERO + 8;
}

/** Negative numbers, which only times have, are taken as 0. */
function base256(field: Buffer): number | undefined {
  if (field[0] === 0xff) return 0;
  let value = (field[0] ?? 0) & 0x7f;
  for (const byte of field.subarray(1)) value = value * 256 + byte;
  return Number.isSafeInteger(value) ? value : undefined;
}

function text(block: Buffer, at: number, length: number): string {
  const zero = block.indexOf(0, at);
  return block.toString("utf8", at, zero < 0 || zero > at + length ? at + length : zero);
}

/** The records of a PAX header, `<length> <name>=<value>\n` (POSIX pax(1)); undefined where they are malformed. */
export function decodePax(body: Buffer): ReadonlyMap<string, string> | undefined {
  const records = new Map<string, string>();
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const end = at + Number(space < 0 ? "" : body.toString("latin1", at, space));
    const equals = body.indexOf(0x3d, space);
    const isRecord = space > at && equals > space + 1 && end > equals && end <= body.length;
    if (!isRecord || body[end - 1] !== 0x0a) return undefined;
    records.set(body.toString("utf8", space + 1, equals), body.toString("utf8", equals + 1, end - 1));
    at = end;
  }
  return records;
}

/** A GNU long name: the body up to its first zero. */
export function decodeLongName(body: Buffer): string {
  const zero = body.indexOf(0);
  return body.toString("utf8", 0, zero < 0 ? body.length : zero);
}

const KINDS: Readonly<Record<string, EntryKind>> = {
  "0": "file",
  "7": "file",
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

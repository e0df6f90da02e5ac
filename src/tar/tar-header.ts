/** One header block of a tar archive, POSIX.1-2017 pax(1), "ustar Interchange Format", and GNU tar's extensions. */
export interface TarHeader {
  readonly name: string;
  readonly size: number;
  /** `0` regular file, `1` hard link, `2` symbolic link, `5` directory, `x` PAX, `L` and `K` GNU long name and link. */
  readonly type: string;
  readonly link: string;
}

export const BLOCK = 512;

/** Above it a size does not fit into eleven octal digits. */
const OCTAL_LIMIT = 8 ** 11;

/** The header of a regular file: mode 0644, owner 0, time 0. `name` is ASCII, at most 100 characters. */
export function encodeHeader(name: string, size: number): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, 100, "latin1");
  block.write("0000644\0", 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  writeSize(block, size);
  block.write("00000000000\0", 136);
  block.write("        ", 148);
  block.write("0", 156);
  block.write("ustar\0", 257);
  block.write("00", 263);
  block.write(`${octal(sumOf(block), 6)}\0 `, 148);
  return block;
}

/** GNU tar's base-256 where octal digits do not suffice: every reader of today knows it. */
function writeSize(block: Buffer, size: number): void {
  if (size < OCTAL_LIMIT) {
    block.write(`${octal(size, 11)}\0`, 124);
    return;
  }
  block[124] = 0x80;
  block.writeBigUInt64BE(BigInt(size), 128);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

/** undefined where the block is no header: its checksum or a number in it is wrong. */
export function decodeHeader(block: Buffer): TarHeader | undefined {
  const size = readNumber(block.subarray(124, 136));
  if (size === undefined || readNumber(block.subarray(148, 156)) !== sumOf(block)) return undefined;
  const isUstar = block.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isUstar ? text(block, 345, 500) : "";
  const name = text(block, 0, 100);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    size,
    type: block[156] === 0 ? "0" : String.fromCharCode(block[156] ?? 0),
    link: text(block, 157, 257),
  };
}

/** The sum of all bytes, those of the checksum itself taken as spaces. */
function sumOf(block: Buffer): number {
  let sum = 8 * 0x20;
  for (const [at, byte] of block.entries()) if (at < 148 || at >= 156) sum += byte;
  return sum;
}

/** Octal digits, or base-256 with the highest bit set. */
function readNumber(field: Buffer): number | undefined {
  if (field[0] === 0x80) {
    const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const [, digits] = /^ *([0-7]*)[ \0]*$/.exec(field.toString("latin1")) ?? [];
  return digits === undefined ? undefined : Number.parseInt(digits || "0", 8);
}

function text(block: Buffer, start: number, end: number): string {
  const zero = block.indexOf(0, start);
  return block.toString("utf8", start, zero < 0 || zero > end ? end : zero);
}

/** The records of a PAX header, `<length> <name>=<value>\n`; undefined where they are malformed. */
export function decodePax(body: Buffer): ReadonlyMap<string, string> | undefined {
  const records = new Map<string, string>();
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const length = Number(body.toString("latin1", at, space));
    const end = at + length;
    if (space < at || !(length > space - at + 2) || end > body.length || body[end - 1] !== 0x0a)
      return undefined;
    const record = body.toString("utf8", space + 1, end - 1);
    const equals = record.indexOf("=");
    if (equals < 1) return undefined;
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at = end;
  }
  return records;
}

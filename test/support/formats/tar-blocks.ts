/** Pieces of tar archives made by hand, for what no program writes. */

const BLOCK = 512;

export interface HandMadeHeader {
  readonly name?: string | Uint8Array;
  readonly size?: number;
  readonly type?: string;
  readonly link?: string;
  readonly magic?: string;
  /** Raw bytes at offsets, written before the checksum is computed. */
  readonly fields?: Readonly<Record<number, string | Uint8Array>>;
  /** Add up signed bytes, as old programs did. */
  readonly signed?: boolean;
}

/** A header block with a right checksum. */
export function tarHeader({
  name = "file",
  size = 0,
  type = "0",
  link = "",
  magic = "ustar\u000000",
  fields = {},
  signed = false,
}: HandMadeHeader = {}): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.set(typeof name === "string" ? Buffer.from(name) : name, 0);
  block.write("0000644\u00000000000\u00000000000\0", 100, "latin1");
  block.write(`${size.toString(8).padStart(11, "0")}\u000000000000000\0`, 124, "latin1");
  block.write(type, 156, "latin1");
  block.write(link, 157);
  block.write(magic, 257, "latin1");
  for (const [at, bytes] of Object.entries(fields))
    block.set(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes, Number(at));
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + (signed && byte >= 128 ? byte - 256 : byte), 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** Filled up to whole blocks. */
export function padded(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}

/** `<length> <key>=<value>\n`. */
export function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + 1;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return `${length} ${key}=${value}\n`;
}

/** An extended header with these records, in their order. */
export function paxHeader(...records: readonly (readonly [key: string, value: string])[]): Buffer {
  const body = records.map(([key, value]) => paxRecord(key, value)).join("");
  return Buffer.concat([tarHeader({ name: "pax", type: "x", size: Buffer.byteLength(body) }), padded(body)]);
}

/** A file with its content. */
export function tarFile(name: string, content: string | Uint8Array): Buffer {
  return Buffer.concat([tarHeader({ name, size: Buffer.from(content).length }), padded(content)]);
}

export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK);

import { decodeName } from "./read-header.ts";

/** What extended headers say about the next entry. */
export interface Extension {
  /** Records of the last PAX header, as in GNU tar, libarchive and Go. */
  readonly records?: ReadonlyMap<string, string>;
  /** From GNU's headers `L` and `K`, which take precedence over PAX. */
  readonly name?: string;
  readonly link?: string;
}

/** Keys of GNU tar's sparse formats 0.0, whose records come in pairs, and 0.1. */
const OFFSET = "GNU.sparse.offset";
const BYTES = "GNU.sparse.numbytes";
export const SPARSE_MAP = "GNU.sparse.map";

/** Records with a path or a name, which must not contain a zero byte. */
const NAMES: ReadonlySet<string> = new Set(["path", "linkpath", "uname", "gname"]);

/**
 * Reads the records of a PAX header, `<length> <name>=<value>\n` (POSIX pax(1)). The offsets and
 * sizes of sparse format 0.0 become the map of 0.1. Returns undefined if they are malformed.
 */
export function readPax(body: Buffer): ReadonlyMap<string, string> | undefined {
  const records = new Map<string, string>();
  const map: string[] = [];
  for (let at = 0; at < body.length; ) {
    const record = recordAt(body, at);
    if (!record || !isValid(record, map.length)) return undefined;
    const { key, value, end } = record;
    if (key === OFFSET || key === BYTES) map.push(value);
    else if (value === "") records.delete(key);
    else records.set(key, value);
    at = end;
  }
  if (map.length > 0) records.set(SPARSE_MAP, map.join(","));
  return records;
}

/**
 * Checks a record as Go's archive/tar does.
 * @param mapLength offsets and sizes so far; they alternate
 */
function isValid({ key, value }: PaxRecord, mapLength: number): boolean {
  if (NAMES.has(key)) return !value.includes("\0");
  if (key !== OFFSET && key !== BYTES) return true;
  return key === (mapLength % 2 === 0 ? OFFSET : BYTES) && !value.includes(",");
}

interface PaxRecord {
  readonly key: string;
  readonly value: string;
  readonly end: number;
}

/** The most digits that a record's length has, with leading zeros. */
const LENGTH_DIGITS = 20;

function recordAt(body: Buffer, at: number): PaxRecord | undefined {
  const space = body.indexOf(0x20, at);
  if (space <= at || space > at + LENGTH_DIGITS) return undefined;
  const digits = body.toString("latin1", at, space);
  const end = /^\d+$/.test(digits) ? at + Number(digits) : 0;
  if (end <= space || end > body.length || body[end - 1] !== 0x0a) return undefined;
  const equals = body.indexOf(0x3d, space);
  if (equals <= space + 1 || equals >= end) return undefined;
  const key = decodeName(body.subarray(space + 1, equals));
  return { key, value: decodeName(body.subarray(equals + 1, end - 1)), end };
}

/** Reads a whole number of a PAX record, with or without leading zeros; undefined if it is none. */
export function paxNumber(text: string): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Reads a time of a PAX record, in seconds with fractions. */
export function paxTime(text: string): number | undefined {
  return /^-?\d{1,15}(?:\.\d*)?$/.test(text) ? Number(text) : undefined;
}

/** Reads a GNU long name: the body up to its first zero. */
export function readLongName(body: Buffer): string {
  const zero = body.indexOf(0);
  return decodeName(body.subarray(0, zero < 0 ? body.length : zero));
}

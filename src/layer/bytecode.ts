import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { Edit, FileEntry } from "../tar/entry.ts";
import type { SourceFile } from "./collect.ts";
import { WholeFileReader } from "./encode/source.ts";
import { type Distribution, installedIn, recordedHashes } from "./packages.ts";

/** `lib/__pycache__/x.cpython-312.opt-1.pyc` is the bytecode of `lib/x.py` (PEP 3147). */
const BYTECODE = /^((?:.*\/)?)__pycache__\/([^/]+?)\.(?:cpython|pypy|graalpy)[^/]*\.pyc$/;

/** Returns the path of the source of a bytecode file: `lib/x.py`; undefined for other files. */
export function sourceOfBytecode(path: string): string | undefined {
  const [, directory = "", module] = BYTECODE.exec(path) ?? [];
  return module === undefined ? undefined : `${directory}${module}.py`;
}

/** Offsets in the header (PEP 552): magic number, flags, source mtime and size, 4 bytes each. */
const HEADER = { flags: 4, time: 8, size: 12, length: 16 } as const;

/** In bytes. Modules of packages are much smaller. */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Keeps Python's bytecode valid: it records the mtime of its source, and a layer gives every file
 * the same mtime. In bytecode of installed packages, the path of the source becomes that in the
 * image: pip writes a temporary path, with which each installation would give another layer.
 * Bytecode that is not valid in the source directory is not changed.
 * @throws FILE_UNREADABLE.
 */
export function keepBytecodeValid(
  files: readonly SourceFile[],
  distributions: readonly Distribution[],
): readonly SourceFile[] {
  if (!files.some(({ path }) => BYTECODE.test(path))) return files;
  const entries = new Map(files.map(({ path, entry }) => [path, entry]));
  const isInstalled = installedIn({ distributions });
  const hashes = recordedHashes(distributions);
  const readers = { bytecode: new WholeFileReader(), source: new WholeFileReader() };
  return files.map((file) => {
    const path = sourceOfBytecode(file.path);
    const source = path === undefined ? undefined : entries.get(path);
    if (
      path === undefined ||
      file.entry.kind !== "file" ||
      source?.kind !== "file" ||
      file.entry.size > MAX_BYTES
    )
      return file;
    const expected = isInstalled(file.path) ? { hash: hashes.get(path), path: source.path } : undefined;
    return { path: file.path, entry: edited(file.entry, source, expected, readers) };
  });
}

/** What is known about the source of an installed package. */
interface Installed {
  /** The SHA-256 in the package's RECORD, as it is written there; undefined if it has none. */
  readonly hash: string | undefined;
  /** The path of the source in the image. */
  readonly path: string;
}

/** Two, because the source is read while the bytecode is in use. */
interface Readers {
  readonly bytecode: WholeFileReader;
  readonly source: WholeFileReader;
}

function edited(
  entry: FileEntry,
  source: FileEntry,
  installed: Installed | undefined,
  readers: Readers,
): FileEntry {
  const bytes = readers.bytecode.read(entry);
  const hasKnownHash = () =>
    installed?.hash !== undefined && hashOf(readers.source.read(source)) === installed.hash;
  if (!isForSource(bytes, source) || !(hasTimeOf(bytes, source) || hasKnownHash())) return entry;
  const edits: readonly Edit[] = [
    { at: HEADER.time, length: 4, bytes: "layer time" },
    ...(installed ? pathEdits(bytes, posix.basename(source.path), `/${installed.path}`) : []),
  ];
  const growth = edits.reduce((sum, { length, bytes: fresh }) => sum + lengthOf(fresh) - length, 0);
  return { ...entry, size: entry.size + growth, edits, sizeOnDisk: entry.size };
}

function lengthOf(bytes: Edit["bytes"]): number {
  return bytes === "layer time" ? 4 : bytes.length;
}

/** Decides as Python does, but without the time. */
function isForSource(bytes: Buffer, { size }: FileEntry): boolean {
  if (bytes.length < HEADER.length || bytes.readUInt32LE(HEADER.flags) !== 0) return false;
  return bytes.readUInt32LE(HEADER.size) === size % 2 ** 32;
}

/** Returns false for a package that was copied without the times of its files. */
function hasTimeOf(bytes: Buffer, { version }: FileEntry): boolean {
  return bytes.readUInt32LE(HEADER.time) === Math.floor((version?.mtimeMs ?? 0) / 1000) % 2 ** 32;
}

function hashOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("base64url");
}

/** String types in CPython's marshal format 4 (marshal.c); the highest bit marks a reference. */
const TYPES = { shortAscii: "z", ascii: "a", unicode: "u" } as const;
const REFERENCE = 0x80;

/** Returns edits of the strings that name the source file; none if these are not certain. */
function pathEdits(bytes: Buffer, name: string, path: string): readonly Edit[] {
  const needle = Buffer.from(`/${name}`);
  const found: Located[] = [];
  for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) {
    const string = stringEndingAt(bytes, at + needle.length, needle.length);
    if (string) found.push(string);
  }
  if (new Set(found.map(({ text }) => text)).size !== 1) return [];
  return found.map(({ at, length, flag }) => ({ at, length, bytes: marshalled(path, flag) }));
}

interface Located {
  readonly at: number;
  readonly length: number;
  readonly flag: number;
  readonly text: string;
}

/** In bytes; Linux opens no longer path. */
const MAX_PATH = 4096;

/** Returns the longest marshalled string with an absolute path that ends at `end`. */
function stringEndingAt(bytes: Buffer, end: number, least: number): Located | undefined {
  for (let length = Math.min(MAX_PATH, end - HEADER.length); length >= least; length--) {
    const start = end - length;
    const prefix = bytes[start] === SLASH ? prefixOf(bytes, start, length) : 0;
    if (prefix === 0) continue;
    const text = bytes.subarray(start, end);
    if (!isUtf8(text) || text.some((byte) => byte < 0x20)) continue;
    const flag = (bytes[start - prefix] ?? 0) & REFERENCE;
    return { at: start - prefix, length: prefix + length, flag, text: text.toString() };
  }
  return undefined;
}

const SLASH = 0x2f;

/** Returns the number of bytes for type and length before a string; 0 if it is none. */
function prefixOf(bytes: Buffer, start: number, length: number): number {
  const typeAt = (at: number) => String.fromCharCode((bytes[at] ?? 0) & ~REFERENCE);
  if (bytes[start - 1] === length && /[zZ]/.test(typeAt(start - 2))) return 2;
  return bytes.readUInt32LE(start - 4) === length && /[aAut]/.test(typeAt(start - 5)) ? 5 : 0;
}

function marshalled(path: string, flag: number): Buffer {
  const text = Buffer.from(path);
  const isAscii = text.length === path.length;
  const type = isAscii ? (text.length < 256 ? TYPES.shortAscii : TYPES.ascii) : TYPES.unicode;
  const length = Buffer.alloc(type === TYPES.shortAscii ? 1 : 4);
  length.writeUIntLE(text.length, 0, length.length);
  return Buffer.concat([Buffer.of(type.charCodeAt(0) | flag), length, text]);
}

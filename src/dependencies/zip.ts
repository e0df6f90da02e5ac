import { createReadStream } from "node:fs";
import { createInflateRaw } from "node:zlib";
import { LambdaPackError } from "../errors.ts";
import { withFile } from "../lambda/binary/file-on-disk.ts";
import type { FilePart } from "../lambda/binary/file-part.ts";

/** A file in a zip. */
export interface ZipEntry {
  readonly path: string;
  /** Permission bits as on Unix; 0 where the zip was made elsewhere. */
  readonly mode: number;
  /** Bytes when unpacked. */
  readonly size: number;
  readonly packedSize: number;
  readonly isDeflated: boolean;
  /** Where the local header begins. */
  readonly at: number;
}

/** APPNOTE.TXT 4.3.16: the end of central directory record, and the longest comment that may follow it. */
const END_LENGTH = 22;
const LONGEST_COMMENT = 0xffff;
/** APPNOTE.TXT 4.3.12 and 4.3.7. */
const ENTRY = 0x02014b50;
const ENTRY_LENGTH = 46;
const LOCAL_LENGTH = 30;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;

/**
 * Lists the files of a zip on disk; directories are left out.
 * @throws CONTENT_MISMATCH for what is no zip, is encrypted, or has more than 4 GiB.
 */
export function listZip(path: string, name: string): readonly ZipEntry[] {
  return withFile(path, entriesIn) ?? refuse(name, "is no zip file that can be read");
}

function entriesIn(file: FilePart): readonly ZipEntry[] | undefined {
  const reach = Math.min(file.size, END_LENGTH + LONGEST_COMMENT);
  const tail = file.read(file.size - reach, reach);
  const end = tail?.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6])) ?? -1;
  if (!tail || end < 0 || end + END_LENGTH > tail.length) return undefined;
  const directory = file.read(tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
  const entries: ZipEntry[] = [];
  for (let at = 0; directory && at < directory.length; ) {
    const entry = entryAt(directory, at);
    if (!entry) return undefined;
    if (!entry.path.endsWith("/")) entries.push(entry);
    at +=
      ENTRY_LENGTH +
      directory.readUInt16LE(at + 28) +
      directory.readUInt16LE(at + 30) +
      directory.readUInt16LE(at + 32);
  }
  return directory && entries;
}

function entryAt(directory: Buffer, at: number): ZipEntry | undefined {
  if (at + ENTRY_LENGTH > directory.length || directory.readUInt32LE(at) !== ENTRY) return undefined;
  const [flags, method] = [directory.readUInt16LE(at + 8), directory.readUInt16LE(at + 10)];
  if ((flags & ENCRYPTED) !== 0 || (method !== STORED && method !== DEFLATED)) return undefined;
  const name = at + ENTRY_LENGTH;
  return {
    path: directory.toString("utf8", name, name + directory.readUInt16LE(at + 28)),
    mode: directory.readUInt16LE(at + 40) & 0o7777,
    size: directory.readUInt32LE(at + 24),
    packedSize: directory.readUInt32LE(at + 20),
    isDeflated: method === DEFLATED,
    at: directory.readUInt32LE(at + 42),
  };
}

/** The content of a file in a zip on disk. @throws CONTENT_MISMATCH where it is not as long as the zip says, or damaged. */
export async function* readZipEntry(
  path: string,
  entry: ZipEntry,
  name: string,
): AsyncGenerator<Uint8Array, void, void> {
  const header = withFile(path, (file) => file.read(entry.at, LOCAL_LENGTH)) ?? refuse(name, "is cut off");
  const start = entry.at + LOCAL_LENGTH + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (entry.size === 0) return;
  let size = 0;
  try {
    for await (const chunk of unpacked(path, entry, start)) {
      size += chunk.length;
      if (size > entry.size) break;
      yield chunk;
    }
  } catch (error) {
    refuse(name, `is damaged: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (size !== entry.size) refuse(name, `has the file ${entry.path}, which is not ${entry.size} bytes long`);
}

async function* unpacked(
  path: string,
  { packedSize, isDeflated }: ZipEntry,
  start: number,
): AsyncGenerator<Uint8Array, void, void> {
  const packed = createReadStream(path, { start, end: start + packedSize - 1 });
  if (!isDeflated) return yield* packed;
  const inflated = packed.pipe(createInflateRaw());
  packed.on("error", (error) => inflated.destroy(error));
  try {
    yield* inflated;
  } finally {
    packed.destroy();
  }
}

function refuse(name: string, what: string): never {
  throw new LambdaPackError("CONTENT_MISMATCH", `the archive of ${name} ${what}`, {
    hint: "nothing of it was used: report it to its index or to the authors of the package",
  });
}

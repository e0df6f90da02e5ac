import { readFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createGunzip, gunzip } from "node:zlib";
import { hasCode, LambdaPackError } from "../errors.ts";
import type { Content } from "../oci/content.ts";
import { type ArchiveHeader, type ArchiveReader, createArchiveReader } from "../tar/archive.ts";
import { TAR_BLOCK } from "../tar/entry.ts";
import type { Archive } from "./installation.ts";

/** The limits of an unpacked package. */
export interface ExtractLimits {
  /** The bytes of all files and headers. */
  readonly bytes: number;
  readonly files: number;
}

export const EXTRACT_LIMITS: ExtractLimits = { bytes: 2 * 1024 ** 3, files: 200_000 };

interface ExtractOptions extends Archive {
  /** Returns the path of a file and whether it is executable; undefined leaves it out. */
  readonly place: (path: string, mode: number) => PlacedFile | undefined;
}

export interface PlacedFile {
  readonly path: string;
  readonly isExecutable: boolean;
}

/** The number of files of an unpacked archive, and their size in bytes. */
export interface Extracted {
  readonly files: number;
  readonly bytes: number;
}

/** A tar of up to this many bytes is unpacked in memory, which takes a third of the CPU time. */
const IN_MEMORY = 16 * 1024 * 1024;
const TRAILER = 8;
const SMALLEST_CHUNK = 16 * 1024;

/**
 * Unpacks the regular files of a gzipped tar. Links, devices and empty directories are left out, as
 * npm does; a later file replaces an earlier one.
 * @throws CONTENT_MISMATCH that names the package, if the archive is not valid, has a path outside
 * its directory, or exceeds the limits; WRITE_FAILED
 */
export async function extractTarball(options: ExtractOptions): Promise<Extracted> {
  const { name, content, files, limits, signal } = options;
  const entries = await createArchiveReader();
  const whole = await unpackInMemory(content, limits.bytes, name);
  const ended = await Promise.allSettled([
    whole
      ? pipeline([whole], entries)
      : pipeline(content.read(0, signal), createGunzip(), boundedBytes(name, limits.bytes), entries, {
          signal,
        }),
    placeEntries(entries, whole && files.append(whole), options),
  ]);
  signal.throwIfAborted();
  const [, placed] = ended;
  const reasons = ended.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  // The first failure aborts the other stream, whose error then says nothing about the cause.
  const ours = reasons.find((reason) => reason instanceof LambdaPackError);
  if (reasons.length > 0 || placed.status === "rejected") throw ours ?? damaged(reasons[0], name);
  return placed.value;
}

/**
 * Places the entries.
 * @param start the offset of the tar in the unpacked file, if it was unpacked in memory; undefined
 * if contents have to be written
 */
async function placeEntries(
  entries: ArchiveReader,
  start: number | undefined,
  { name, files, place, limits }: ExtractOptions,
): Promise<Extracted> {
  const total = { files: 0, bytes: 0 };
  for await (const entry of entries) {
    const { size } = entry.header;
    const placed = placeSafely(entry.header, place, name);
    if (placed) {
      total.files += 1;
      if (total.files > limits.files) throw broken(name, `has more than ${limits.files} files`);
      total.bytes += size;
      if (start === undefined) await files.addFile({ ...placed, size }, entry);
      else files.placeFile({ ...placed, size }, start + entry.offset + TAR_BLOCK);
    }
    entry.resume();
  }
  return total;
}

/** Returns the tar; undefined if its actual or stated size is too large. */
async function unpackInMemory(
  { descriptor, file }: Content,
  limit: number,
  name: string,
): Promise<Buffer | undefined> {
  const maxOutputLength = Math.min(limit, IN_MEMORY);
  if (file === undefined || descriptor.size > maxOutputLength) return undefined;
  const packed = await readFile(file);
  // The size is at the end (RFC 1952 2.3.1). With one byte more, zlib sees the end of the output
  // without a second buffer.
  const size = packed.length > TRAILER ? packed.readUInt32LE(packed.length - 4) : 0;
  if (size >= maxOutputLength) return undefined;
  try {
    return await promisify(gunzip)(packed, {
      chunkSize: Math.max(size + 1, SMALLEST_CHUNK),
      maxOutputLength,
    });
  } catch (error) {
    if (hasCode(error, "ERR_BUFFER_TOO_LARGE")) return undefined;
    throw damaged(error, name);
  }
}

function boundedBytes(name: string, limit: number) {
  return async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    let size = 0;
    for await (const chunk of source) {
      size += chunk.length;
      if (size > limit) throw broken(name, `unpacks to more than ${limit} bytes`);
      yield chunk;
    }
  };
}

function placeSafely(
  { name: path, mode, type }: ArchiveHeader,
  place: ExtractOptions["place"],
  name: string,
): PlacedFile | undefined {
  if (type !== "file" && type !== "contiguous-file") return undefined;
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (leavesDirectory(path))
    throw broken(name, `has the file name ${JSON.stringify(path)}, which leaves its directory`);
  return place(parts.join("/"), mode);
}

/** Returns whether a path of an archive, or of a lock, leads out of the directory, on any system. */
export function leavesDirectory(path: string): boolean {
  return /^\/|^[A-Za-z]:|[\0\\]/.test(path) || path.split("/").includes("..");
}

/** Creates the error for an archive that is not valid. */
export function broken(name: string, what: string): LambdaPackError {
  return new LambdaPackError("CONTENT_MISMATCH", `the archive of ${name} ${what}`, {
    hint: "report it to its publisher, or make the archive again; nothing of it was used",
  });
}

function damaged(error: unknown, name: string): unknown {
  return error instanceof Error ? broken(name, `is damaged: ${error.message}`) : error;
}

import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { LambdaPackError } from "../errors.ts";
import { type ArchiveHeader, createArchiveReader } from "../tar/archive.ts";
import type { UnpackedFiles } from "./unpacked.ts";

/** What a package may unpack to. */
export interface ExtractLimits {
  /** Bytes of all files and headers. */
  readonly bytes: number;
  readonly files: number;
}

export const EXTRACT_LIMITS: ExtractLimits = { bytes: 2 * 1024 ** 3, files: 200_000 };

export interface ExtractOptions {
  /** For messages: `lodash@4.17.21`. */
  readonly name: string;
  readonly files: UnpackedFiles;
  /** Where a file goes, and whether it may be executed; undefined: nowhere. */
  readonly place: (path: string, mode: number) => PlacedFile | undefined;
  readonly limits?: ExtractLimits;
  readonly signal: AbortSignal;
}

export interface PlacedFile {
  readonly path: string;
  readonly isExecutable: boolean;
}

export interface Extracted {
  readonly files: number;
  /** Of the files. */
  readonly bytes: number;
}

/**
 * Unpacks the regular files of a gzipped tar. Links, devices and empty directories are left out, as npm does; a later file replaces an earlier one.
 * @throws CONTENT_MISMATCH naming the package for what is no such archive, leaves its directory, or is larger than the limits; WRITE_FAILED.
 */
export async function extractTarball(
  bytes: AsyncIterable<Uint8Array>,
  { name, files, place, limits = EXTRACT_LIMITS, signal }: ExtractOptions,
): Promise<Extracted> {
  const entries = createArchiveReader();
  const total = { files: 0, bytes: 0 };
  const write = async () => {
    for await (const entry of entries) {
      const placed = isFile(entry.header) ? placeSafely(entry.header, place, name) : undefined;
      if (placed) {
        total.files += 1;
        if (total.files > limits.files) throw broken(name, `has more than ${limits.files} files`);
        total.bytes += entry.header.size;
        await files.addFile({ ...placed, size: entry.header.size, content: entry });
      }
      entry.resume();
    }
  };
  const ended = await Promise.allSettled([
    pipeline(bytes, createGunzip(), boundedBytes(name, limits.bytes), entries, { signal }),
    write(),
  ]);
  signal.throwIfAborted();
  const reasons = ended.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  // What fails first ends the others, each with an error that says no more than that.
  const ours = reasons.find((reason) => reason instanceof LambdaPackError);
  if (reasons.length > 0) throw ours ?? damaged(reasons[0], name);
  return total;
}

function isFile({ type }: ArchiveHeader): boolean {
  return type === "file" || type === "contiguous-file";
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
  { name: path, mode }: ArchiveHeader,
  place: ExtractOptions["place"],
  name: string,
): PlacedFile | undefined {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (
    path.startsWith("/") ||
    /^[A-Za-z]:/.test(path) ||
    path.includes("\0") ||
    path.includes("\\") ||
    parts.includes("..")
  )
    throw broken(name, `has the file name ${JSON.stringify(path)}, which leaves its directory`);
  return place(parts.join("/"), mode);
}

function broken(name: string, what: string): LambdaPackError {
  return new LambdaPackError("CONTENT_MISMATCH", `the archive of ${name} ${what}`, {
    hint: "nothing of it was used: report it to the registry or to the authors of the package",
  });
}

function damaged(error: unknown, name: string): unknown {
  return error instanceof Error ? broken(name, `is damaged: ${error.message}`) : error;
}

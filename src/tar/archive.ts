import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Extract, Header } from "tar-stream";
import { loadPackage } from "../async/load-package.ts";
import { once } from "../async/single-flight.ts";
import { hasCode, LambdaPackError } from "../errors.ts";
import type { LayerEntry } from "./layer-entry.ts";
import { TarReader } from "./tar-reader.ts";
import { wholeBlocks } from "./write-header.ts";

const loadTarStream = once(() => loadPackage("tar-stream", () => import("tar-stream")));

/** The header of one entry of a tar archive. */
export type ArchiveHeader = Header;

/** A reader for other programs' tars: takes bytes and yields entries with their content. */
export type ArchiveReader = Extract;

/** Creates a reader. It holds at most one header of 4 MiB and the bytes that were not read yet. */
export async function createArchiveReader(): Promise<ArchiveReader> {
  const { extract } = await loadTarStream();
  return extract();
}

/** A regular file of an archive and where its bytes are, or a link to another member. */
export type ArchiveMember =
  | { readonly kind: "file"; readonly offset: number; readonly size: number }
  | { readonly kind: "symlink" | "hardlink"; readonly target: string };

/** An image has a few hundred members at most; each is held in memory. */
const MAX_MEMBERS = 100_000;
const CHUNK_BYTES = 64 * 1024;

const ZEROS = Buffer.alloc(CHUNK_BYTES);

/**
 * Lists the members of an archive by name, without a leading `./`. The last member with a name
 * counts, as when unpacking. Does not read the contents of large files.
 * @throws LAYOUT_INVALID naming the archive.
 */
export async function indexArchive(
  path: string,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, ArchiveMember>> {
  const handle = await open(path, "r");
  try {
    const { size: end } = await handle.stat();
    const members = new Map<string, ArchiveMember>();
    let contentEnd = 0;
    const reader = new TarReader({
      enter(entry, { to }) {
        if (to + entry.size > end) throw broken(path, `is cut off within ${entry.name}`);
        if (members.size >= MAX_MEMBERS) throw broken(path, `has more than ${MAX_MEMBERS} members`);
        contentEnd = to + entry.size;
        const member = memberOf(entry, to);
        if (member) members.set(plainName(entry.name), member);
        return undefined;
      },
    });
    const chunk = Buffer.alloc(CHUNK_BYTES);
    try {
      while (reader.bytes < end) {
        signal?.throwIfAborted();
        // The index needs only headers, so the reader gets zeros instead of contents from the disk.
        const skipped = contentEnd - reader.bytes;
        if (skipped > 0) reader.push(ZEROS.subarray(0, skipped));
        else {
          const { bytesRead } = await handle.read(chunk, 0, chunk.length, reader.bytes);
          if (bytesRead === 0) break;
          reader.push(chunk.subarray(0, bytesRead));
        }
      }
      reader.end();
    } catch (error) {
      throw hasCode(error, "IMAGE_INVALID") ? damaged(path, contentEnd, error) : error;
    }
    if (members.size === 0) throw broken(path, "is not a tar archive, or has no file");
    return members;
  } finally {
    await handle.close();
  }
}

function memberOf({ kind, size, link }: LayerEntry, offset: number): ArchiveMember | undefined {
  if (kind === "file") return { kind, offset, size };
  return kind === "hardlink" || kind === "symlink" ? { kind, target: link } : undefined;
}

/** Returns the name without a leading `./` or `/`: `./manifest.json` becomes `manifest.json`. */
export function plainName(name: string): string {
  return name.replace(/^(\.?\/)+/, "");
}

interface ArchiveFile {
  readonly name: string;
  /** In bytes; `read` has to yield exactly as many. */
  readonly size: number;
  readonly read: () => AsyncIterable<Uint8Array>;
}

/** Writes files as an archive: mode 0644, owner 0:0, mtime 0. Same files give the same bytes. */
export async function* writeArchive(files: Iterable<ArchiveFile>): AsyncGenerator<Uint8Array> {
  const { pack } = await loadTarStream();
  const archive = pack();
  const filling = fill();
  filling.catch((error: unknown) => archive.destroy(error instanceof Error ? error : undefined));
  for await (const chunk of archive) yield chunk as Uint8Array; // tar-stream gives nothing else
  await filling;

  async function fill(): Promise<void> {
    for (const { name, size, read } of files) {
      const entry = archive.entry({ name, size, mode: 0o644, mtime: new Date(0) });
      await pipeline(Readable.from(read(), { objectMode: false }), entry);
    }
    archive.finalize();
  }
}

function damaged(path: string, contentEnd: number, cause: unknown): LambdaPackError {
  const at = wholeBlocks(contentEnd);
  return broken(path, at === 0 ? "is not a tar archive" : `is damaged or cut off at byte ${at}`, cause);
}

function broken(path: string, what: string, cause?: unknown): LambdaPackError {
  return new LambdaPackError("LAYOUT_INVALID", `${path} ${what}`, {
    hint: "make or copy the archive again; a compressed one has to be unpacked first (gunzip)",
    cause,
  });
}

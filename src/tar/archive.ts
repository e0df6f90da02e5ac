import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Extract, Header } from "tar-stream";
import { loadPackage } from "../async/load-package.ts";
import { once } from "../async/single-flight.ts";
import { LambdaPackError, messageOf } from "../errors.ts";

const loadTarStream = once(() => loadPackage("tar-stream", () => import("tar-stream")));

/** The header of one entry of a tar archive. */
export type ArchiveHeader = Header;

/**
 * A reader for tar archives of other programs. Bytes are written to it, and it yields entries with
 * their content.
 */
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
/** The content of an entry begins this many bytes after its `offset`. */
export const HEADER_BYTES: number = 512;
const CHUNK_BYTES = 64 * 1024;

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
    const reader = await createArchiveReader();
    let contentEnd = 0;
    const bytes = async function* (): AsyncGenerator<Buffer> {
      for (let at = 0; at < end; ) {
        // The index needs only headers, so the reader gets zeros instead of contents from the disk.
        const skipped = Math.min(contentEnd, end) - at;
        const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, skipped > 0 ? skipped : end - at));
        const length = skipped > 0 ? chunk.length : (await handle.read(chunk, 0, chunk.length, at)).bytesRead;
        if (length === 0) return;
        yield chunk.subarray(0, length);
        at += length;
      }
    };
    const members = new Map<string, ArchiveMember>();
    const list = async () => {
      for await (const entry of reader) {
        const { header } = entry;
        const offset = entry.offset + HEADER_BYTES;
        if (offset + header.size > end) throw broken(path, `is cut off within ${header.name}`);
        if (members.size >= MAX_MEMBERS) throw broken(path, `has more than ${MAX_MEMBERS} members`);
        contentEnd = offset + header.size;
        const member = memberOf(header, offset);
        if (member) members.set(plainName(header.name), member);
        entry.resume();
      }
    };
    await both(pipeline(bytes(), reader, { signal }), list(), (reason) => {
      const at = Math.ceil(contentEnd / HEADER_BYTES) * HEADER_BYTES;
      const what = at === 0 ? "is no tar archive" : `is damaged or cut off at byte ${at}`;
      return broken(path, `${what} (${messageOf(reason)})`, reason);
    });
    if (members.size === 0) throw broken(path, "is no tar archive, or has no file");
    return members;
  } finally {
    await handle.close();
  }
}

/**
 * Waits for the bytes and for their reader. Throws a LambdaPackError or an abort as it is, and any
 * other error as `explain` describes it.
 */
async function both(
  bytes: Promise<void>,
  reading: Promise<void>,
  explain: (reason: unknown) => LambdaPackError,
): Promise<void> {
  const ended = await Promise.allSettled([bytes, reading]);
  const reasons: readonly unknown[] = ended.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  if (reasons.length === 0) return;
  throw reasons.find((reason) => reason instanceof LambdaPackError || isAbort(reason)) ?? explain(reasons[0]);
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

function memberOf({ type, size, linkname }: ArchiveHeader, offset: number): ArchiveMember | undefined {
  if (type === "file" || type === "contiguous-file") return { kind: "file", offset, size };
  if (type === "link") return { kind: "hardlink", target: linkname };
  return type === "symlink" ? { kind: "symlink", target: linkname } : undefined;
}

/** Returns the name without a leading `./` or `/`: `./manifest.json` becomes `manifest.json`. */
export function plainName(name: string): string {
  return name.replace(/^(\.?\/)+/, "");
}

/** A file to be written into an archive. */
interface ArchiveFile {
  readonly name: string;
  /** In bytes; `read` has to yield exactly as many. */
  readonly size: number;
  readonly read: () => AsyncIterable<Uint8Array>;
}

/**
 * Writes files as one archive: mode 0644, owner 0:0, mtime 0. The same files give the same bytes.
 */
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

function broken(path: string, what: string, cause?: unknown): LambdaPackError {
  return new LambdaPackError("LAYOUT_INVALID", `${path} ${what}`, {
    hint: "make or copy the archive again; a compressed one has to be unpacked first (gunzip)",
    cause,
  });
}

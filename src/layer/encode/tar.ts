import { type Edit, type Entry, type FileEntry, TAR_BLOCK } from "../../tar/entry.ts";
import { extendedHeader, wholeBlocks, writeHeader } from "../../tar/write-header.ts";
import { takeBlock } from "./blocks.ts";
import { Source, WholeFileReader } from "./source.ts";

export interface TarOptions {
  /** The mtime of all entries; fractions of a second are dropped. */
  readonly mtime: Date;
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes of files written so far. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** The end of a tar: two empty records. */
const END = Buffer.alloc(2 * TAR_BLOCK);

/**
 * Writes a tar of the entries, in their order, with owner 0:0 and no owner names (image-spec
 * layer.md; POSIX pax where ustar has no room). Yields full blocks, except the last. Reads files
 * directly into the blocks. Synchronous between two blocks.
 * @throws FILE_CHANGED, FILE_UNREADABLE; never completes a tar whose headers and contents disagree.
 */
export function* tar(entries: Iterable<Entry>, options: TarOptions): Generator<Buffer> {
  const writer = new TarWriter(options);
  try {
    for (const entry of entries) {
      options.signal?.throwIfAborted();
      yield* writer.header(entry);
      if (entry.kind !== "file") continue;
      if (entry.edits) yield* writer.edited(entry, entry.edits);
      else yield* writer.contents(entry);
    }
    yield* writer.bytes(END);
    yield writer.rest();
  } finally {
    writer.close();
  }
}

/**
 * Fills one block after the other. Its generators yield a full block before they need the next one.
 */
class TarWriter {
  readonly #options: TarOptions;
  readonly #files = new WholeFileReader();
  #block = takeBlock();
  /** Filled bytes of the block: whole records, except within a file. */
  #filled = 0;
  #bytesOfFiles = 0;
  #source: Source | undefined;

  constructor(options: TarOptions) {
    this.#options = options;
  }

  *header(entry: Entry): Generator<Buffer> {
    yield* this.#room();
    if (writeHeader(this.#block, this.#filled, entry, this.#options.mtime)) this.#filled += TAR_BLOCK;
    else yield* this.bytes(extendedHeader(entry, this.#options.mtime));
  }

  /** Writes whole records. */
  *bytes(bytes: Buffer): Generator<Buffer> {
    for (let at = 0; at < bytes.length; at += TAR_BLOCK) {
      yield* this.#room();
      bytes.copy(this.#block, this.#filled, at, at + TAR_BLOCK);
      this.#filled += TAR_BLOCK;
    }
  }

  *contents(entry: FileEntry): Generator<Buffer> {
    const source = this.#open(entry);
    do {
      yield* this.#room();
      this.#options.signal?.throwIfAborted();
      this.#read(source);
    } while (source.left > 0);
    source.finish();
    this.#pad();
  }

  *edited(entry: FileEntry, edits: readonly Edit[]): Generator<Buffer> {
    for (const part of parts(this.#files.read(entry), edits, this.#options.mtime)) {
      for (let at = 0; at < part.length; ) {
        yield* this.#room();
        const count = part.copy(this.#block, this.#filled, at);
        this.#filled += count;
        at += count;
      }
    }
    this.#bytesOfFiles += entry.size;
    this.#options.onBytes?.(this.#bytesOfFiles);
    this.#pad();
  }

  /** Returns the filled part of the last block. */
  rest(): Buffer {
    return this.#block.subarray(0, this.#filled);
  }

  /** Closes the file that was read last. */
  close(): void {
    this.#source?.close();
    this.#source = undefined;
  }

  #open(entry: FileEntry): Source {
    if (this.#source?.continueWith(entry)) return this.#source;
    this.close();
    this.#source = new Source(entry);
    return this.#source;
  }

  #read(source: Source): void {
    const count = source.read(this.#block, this.#filled);
    this.#filled += count;
    this.#bytesOfFiles += count;
    if (count > 0) this.#options.onBytes?.(this.#bytesOfFiles);
  }

  #pad(): void {
    const padded = wholeBlocks(this.#filled);
    this.#block.fill(0, this.#filled, padded);
    this.#filled = padded;
  }

  *#room(): Generator<Buffer> {
    if (this.#filled < this.#block.length) return;
    yield this.#block;
    this.#block = takeBlock();
    this.#filled = 0;
  }
}

function parts(bytes: Buffer, edits: readonly Edit[], mtime: Date): readonly Buffer[] {
  const made: Buffer[] = [];
  let at = 0;
  for (const edit of edits) {
    made.push(bytes.subarray(at, edit.at), edit.bytes === "layer time" ? timeOf(mtime) : edit.bytes);
    at = edit.at + edit.length;
  }
  return [...made, bytes.subarray(at)];
}

/** Returns the mtime in four bytes: PEP 552 uses its lowest 32 bits. */
function timeOf(mtime: Date): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(Math.floor(mtime.getTime() / 1000) % 2 ** 32);
  return bytes;
}

import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { writeFailed } from "../blobs/disk.ts";
import { LambdaPackError } from "../errors.ts";
import { type Entry, parentOf, sortByName } from "../tar/entry.ts";

interface UnpackedFile {
  /** Relative to the application's directory, with `/` as separator. */
  readonly path: string;
  readonly isExecutable: boolean;
  readonly size: number;
}

/**
 * The files of installed packages, with all contents in one file on disk. Creating ten thousand
 * files takes longer than the rest of an installation, and on Windows and macOS a directory cannot
 * have every name and mode that an image can.
 */
export class UnpackedFiles {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #entries = new Map<string, Entry>();
  #end = 0;

  constructor(path: string) {
    this.#path = path;
    this.#descriptor = this.#try(() => openSync(path, "wx+"));
  }

  /**
   * Adds a file; a later one replaces an earlier one with the same path. Can be called
   * concurrently. If the content is shorter than the size, the rest is filled with zeros.
   * @throws WRITE_FAILED
   */
  async addFile(file: UnpackedFile, content: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
    const { size } = file;
    const offset = this.#end;
    this.#end += size;
    let written = 0;
    for await (const chunk of content) {
      if (!(chunk instanceof Uint8Array)) continue;
      const most = chunk.subarray(0, size - written);
      this.#writeAt(most, offset + written);
      written += most.length;
    }
    this.placeFile(file, offset);
  }

  /** Writes bytes with the contents of several files. Returns their offset. @throws WRITE_FAILED */
  append(bytes: Uint8Array): number {
    const offset = this.#end;
    this.#end += bytes.length;
    this.#writeAt(bytes, offset);
    return offset;
  }

  /** Adds a file whose content was already written at `offset`. */
  placeFile({ path, isExecutable, size }: UnpackedFile, offset: number): void {
    const mode = isExecutable ? 0o755 : 0o644;
    this.#entries.set(path, { kind: "file", path, mode, size, source: this.#path, offset });
  }

  addLink(path: string, target: string): void {
    this.#entries.set(path, { kind: "symlink", path, target });
  }

  has(path: string): boolean {
    return this.#entries.has(path);
  }

  /**
   * Returns the first `length` bytes of a file, or fewer if it is shorter; undefined if it does not
   * exist.
   */
  startOf(path: string, length: number): Buffer | undefined {
    const entry = this.#entries.get(path);
    if (entry?.kind !== "file") return undefined;
    const buffer = Buffer.alloc(Math.min(length, entry.size));
    readSync(this.#descriptor, buffer, 0, buffer.length, entry.offset ?? 0);
    return buffer;
  }

  sizeOf(path: string): number {
    const entry = this.#entries.get(path);
    return entry?.kind === "file" ? entry.size : 0;
  }

  /**
   * Returns all files and links, sorted by path in byte order. None can be added afterwards.
   * @throws CONTENT_MISMATCH if a file has the path of a directory of another
   */
  finish(): readonly Entry[] {
    this.close();
    for (const path of this.#entries.keys())
      for (let above = parentOf(path); above !== ""; above = parentOf(above))
        if (this.#entries.has(above)) throw collision(above, path);
    return sortByName(this.#entries.values(), ({ path }) => path);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#descriptor);
  }

  #isClosed = false;

  #writeAt(bytes: Uint8Array, position: number): void {
    this.#try(() => {
      for (let at = 0; at < bytes.length; )
        at += writeSync(this.#descriptor, bytes, at, bytes.length - at, position + at);
    });
  }

  #try<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw writeFailed(this.#path, error);
    }
  }
}

function collision(above: string, path: string): LambdaPackError {
  const message = `${above} is a file of one package, and ${path} of another is below it`;
  return new LambdaPackError("CONTENT_MISMATCH", message, {
    hint: "one of the two packages is damaged: find out which, and report it to its authors",
  });
}

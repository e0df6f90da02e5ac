import type { FilePart } from "../../lambda/binary/file-part.ts";
import { sourceOfBytecode } from "../../layer/bytecode.ts";

/** Keeps one value for each path, that of the highest layer. Layers may be read in any order. */
export class HighestLayerMap<T> {
  readonly #kept = new Map<string, { readonly layer: number; readonly value: T }>();
  readonly #limit: number;

  /** Keeps the values of at most `limit` paths and ignores further ones. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get isFull(): boolean {
    return this.#kept.size >= this.#limit;
  }

  keep(path: string, layer: number, value: T): void {
    const before = this.#kept.get(path);
    if (before ? before.layer <= layer : !this.isFull) this.#kept.set(path, { layer, value });
  }

  get(path: string): T | undefined {
    return this.#kept.get(path)?.value;
  }

  *[Symbol.iterator](): Generator<readonly [path: string, value: T, layer: number]> {
    for (const [path, { value, layer }] of this.#kept) yield [path, value, layer];
  }
}

/** Limits memory: this many files are enough to find the problem. */
const MAX_FILES = 20_000;
/** In bytes: magic number, flags and, if these are 0, the source's mtime in seconds (PEP 552). */
export const BYTECODE_HEADER = 12;

/**
 * Records the mtimes of Python sources and those stored in their bytecode. Python ignores bytecode
 * whose stored mtime differs from its source's.
 */
export class BytecodeTimes {
  readonly #sources = new HighestLayerMap<number>(MAX_FILES);
  /** undefined: the bytecode holds no time. */
  readonly #held = new HighestLayerMap<number | undefined>(MAX_FILES);

  /** Records the mtime of a source. Returns whether the file's header has to be read. */
  enter(path: string, layer: number, mtime: number): boolean {
    if (path.endsWith(".py")) this.#sources.keep(path, layer, Math.floor(mtime) >>> 0);
    return !this.#held.isFull && sourceOfBytecode(path) !== undefined;
  }

  take(path: string, layer: number, file: FilePart): void {
    const header = file.read(0, BYTECODE_HEADER);
    if (header)
      this.#held.keep(path, layer, header.readUInt32LE(4) === 0 ? header.readUInt32LE(8) : undefined);
  }

  /** Returns the paths of bytecode that Python ignores because its source has another mtime. */
  stale(): readonly string[] {
    return [...this.#held].flatMap(([path, time]) => {
      const source = this.#sources.get(sourceOfBytecode(path) ?? "");
      return time === undefined || source === undefined || source === time ? [] : [path];
    });
  }
}

import type { FilePart } from "../../lambda/binary/file-part.ts";
import { sourceOfBytecode } from "../../layer/bytecode.ts";
import { HighestLayerMap } from "./highest-layer.ts";

/** More files tell no more about an image, and cost memory. */
const MOST_FILES = 20_000;
/** PEP 552: magic number, flags, and with flags 0 the time of the source in seconds; in bytes. */
export const BYTECODE_HEADER = 12;

/**
 * The times of Python sources, and those that bytecode holds of them: Python ignores bytecode with
 * another time.
 */
export class BytecodeTimes {
  readonly #sources = new HighestLayerMap<number>(MOST_FILES);
  /** undefined: the bytecode holds no time. */
  readonly #held = new HighestLayerMap<number | undefined>(MOST_FILES);

  /** Whether the header of this file has to be read. */
  enter(path: string, layer: number, mtime: number): boolean {
    if (path.endsWith(".py")) this.#sources.keep(path, layer, Math.floor(mtime) >>> 0);
    return !this.#held.isFull && sourceOfBytecode(path) !== undefined;
  }

  take(path: string, layer: number, file: FilePart): void {
    const header = file.read(0, BYTECODE_HEADER);
    if (header)
      this.#held.keep(path, layer, header.readUInt32LE(4) === 0 ? header.readUInt32LE(8) : undefined);
  }

  /** The paths of bytecode that Python does not use, as its source has another time. */
  stale(): readonly string[] {
    return [...this.#held].flatMap(([path, time]) => {
      const source = this.#sources.get(sourceOfBytecode(path) ?? "");
      return time === undefined || source === undefined || source === time ? [] : [path];
    });
  }
}

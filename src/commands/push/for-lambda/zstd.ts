import { Decompress } from "fzstd";
import { LambdaPackError } from "../../../errors.ts";
import { FREE_BYTES, MAX_RATIO } from "../../../rootfs/scan.ts";

/** RFC 8878, 3.1.1.1.2, recommends 8 MB; zstd(1) accepts 128 MB by default. */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024;
/** A frame's header is at most 18 bytes long. */
const HEADER = 18;

/**
 * Decompresses zstd (RFC 8878), frame by frame.
 * @param name the layer's name in messages
 * @throws IMAGE_INVALID for damaged data, a window of more than 128 MB, or output of more than 1000
 * times the input
 */
export async function* decompressZstd(
  source: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array, void, void> {
  let pieces: Uint8Array[] = [];
  let [taken, given] = [0, 0];
  const refuse = (what: string, cause?: unknown) =>
    new LambdaPackError("IMAGE_INVALID", `the layer ${name} ${what}`, {
      hint: "have the image built again, or pull it again",
      cause,
    });
  const decompressor = new Decompress((piece) => pieces.push(piece));
  const push = (chunk: Uint8Array, isLast: boolean) => {
    try {
      decompressor.push(chunk, isLast);
    } catch (error) {
      throw refuse(
        `is damaged: its zstd is wrong (${error instanceof Error ? error.message : error})`,
        error,
      );
    }
    const all = pieces;
    pieces = [];
    given += all.reduce((sum, { length }) => sum + length, 0);
    if (given > FREE_BYTES && given > taken * MAX_RATIO)
      throw refuse(`grows to more than ${MAX_RATIO} times its size: it was not read to its end`);
    return all;
  };
  let start = Buffer.alloc(0);
  for await (const chunk of source) {
    if (taken < HEADER) {
      start = Buffer.concat([start, chunk.subarray(0, HEADER)]);
      if (start.length >= HEADER && windowOf(start) > MAX_WINDOW_BYTES)
        throw refuse(`needs a window of more than ${MAX_WINDOW_BYTES / 1024 / 1024} MB to be decompressed`);
    }
    taken += chunk.length;
    yield* push(chunk, false);
  }
  yield* push(new Uint8Array(), true);
}

/** Returns the bytes of memory that the first frame requires (RFC 8878, 3.1.1.1). */
function windowOf(header: Buffer): number {
  const descriptor = header[4] ?? 0;
  const isSingle = (descriptor & 0x20) !== 0;
  if (!isSingle) {
    const window = header[5] ?? 0;
    const base = 2 ** (10 + (window >> 3));
    return base + (base / 8) * (window & 7);
  }
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const at = 5 + dictionary;
  const size = descriptor >> 6;
  if (size === 0) return header[at] ?? 0;
  if (size === 1) return header.readUInt16LE(at) + 256;
  return size === 2 ? header.readUInt32LE(at) : Number(header.readBigUInt64LE(at));
}

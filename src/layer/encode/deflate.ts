import { constants, deflateRaw } from "node:zlib";
import { encoderOf } from "./encoder.ts";
import { MEMORY_LEVEL } from "./limits.ts";
import { leastBusyThread } from "./worker-threads.ts";

/** In bytes: how far deflate looks back (RFC 1951). */
export const WINDOW: number = 32 * 1024;

/** In bytes, beside half a block: most blocks shrink to less, and a larger buffer is garbage. */
const SLACK = 4096;

/**
 * Deflates a block so that its output ends on a byte boundary and can be joined with that of its
 * neighbours. Runs in libuv's thread pool, or in worker threads if pako is used. The output depends
 * only on block, dictionary and level.
 * @param dictionary the end of the data before the block
 */
export function deflateBlock(
  block: Buffer,
  dictionary: Buffer | undefined,
  level: number,
): Promise<Uint8Array> {
  if (encoderOf(level) === "pako") return deflateInWorker(block, dictionary, level);
  const options = {
    level,
    memLevel: MEMORY_LEVEL,
    chunkSize: Math.ceil(block.length / 2) + SLACK,
    finishFlush: constants.Z_SYNC_FLUSH,
    ...(dictionary && { dictionary }),
  };
  return new Promise((resolve, reject) => {
    deflateRaw(block, options, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  });
}

async function deflateInWorker(
  block: Buffer,
  dictionary: Buffer | undefined,
  level: number,
): Promise<Uint8Array> {
  const memory = block.buffer;
  try {
    const task = { kind: "deflate", memory, length: block.length, dictionary, level } as const;
    const answer = await leastBusyThread()?.ask(task);
    if (answer?.kind === "deflated") return answer.bytes;
  } catch {
    // The thread has ended: this block is deflated on the calling thread.
  }
  const { deflateWithPako } = await import("./pako.ts"); // most builds need no pako
  return deflateWithPako(block, dictionary, level);
}

const SAMPLES = 16;
const SAMPLE = 1024;

/**
 * Returns whether samples look like random bytes: archives, pictures, ciphertext. Storing such data
 * takes half the time and no more bytes. Counts in whole numbers, so that every machine decides the
 * same.
 */
export function isIncompressible(block: Buffer): boolean {
  const counts = new Uint32Array(256);
  const step = Math.max(SAMPLE, Math.floor(block.length / SAMPLES));
  let total = 0;
  for (let start = 0; start + SAMPLE <= block.length; start += step, total += SAMPLE) {
    for (let at = start; at < start + SAMPLE; at++)
      counts[block[at] ?? 0] = (counts[block[at] ?? 0] ?? 0) + 1;
  }
  if (total < 4 * SAMPLE) return false;
  // For random bytes the sum of squares is total² / 256; 7 % more means 0.05 bits less in each
  // byte.
  const squares = counts.reduce((sum, count) => sum + count * count, 0);
  return squares * 256 * 100 <= total * total * 107;
}

const STORED_MAX = 65_535;
const STORED_HEADER = 5;

/** Returns the block as stored deflate blocks (RFC 1951 3.2.4), none of them the last. */
export function store(block: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < block.length; at += STORED_MAX) {
    const part = block.subarray(at, at + STORED_MAX);
    const header = Buffer.alloc(STORED_HEADER);
    header.writeUInt16LE(part.length, 1);
    header.writeUInt16LE(part.length ^ 0xffff, 3);
    parts.push(header, part);
  }
  return Buffer.concat(parts);
}

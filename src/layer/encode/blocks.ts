import { BLOCK, SPARE } from "./limits.ts";

/** Provides memory in blocks of {@link BLOCK} bytes. */
export interface Blocks {
  /** Returns a block of the full size, with undefined content. */
  take(): Buffer;
  /** Takes back a block that is no longer used. Optional: other blocks are garbage-collected. */
  give(block: Buffer): void;
}

/** Allocates each block. */
export const freshBlocks: Blocks = { take: newBlock, give: () => undefined };

const spare: Buffer[] = [];

/**
 * Reuses blocks, also for the next layer: garbage of this size would be freed late. A worker can
 * read them without a copy.
 */
export const reusedBlocks: Blocks = {
  take: () => spare.pop() ?? newBlock(),
  give(block) {
    if (spare.length < SPARE) spare.push(Buffer.from(block.buffer, 0, BLOCK));
  },
};

function newBlock(): Buffer {
  return Buffer.from(new SharedArrayBuffer(BLOCK));
}

/**
 * Yields the bytes in full blocks, except the last; none for no bytes. The blocks do not depend on
 * how the source divides the bytes.
 */
export async function* blocksOf(source: AsyncIterable<Uint8Array>, blocks: Blocks): AsyncGenerator<Buffer> {
  let block = blocks.take();
  let filled = 0;
  for await (const chunk of source) {
    for (let taken = 0; taken < chunk.length; ) {
      const part = chunk.subarray(taken, taken + BLOCK - filled);
      block.set(part, filled);
      filled += part.length;
      taken += part.length;
      if (filled < BLOCK) continue;
      yield block;
      block = blocks.take();
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

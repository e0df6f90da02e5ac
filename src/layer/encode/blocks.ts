import { BLOCK, SPARE } from "./limits.ts";

/** Memory in pieces of {@link BLOCK} bytes. */
export interface Blocks {
  /** Of the full size; what is in it means nothing. */
  take(): Buffer;
  /** Gives back a block that is no longer read. Optional: one that is not given back is garbage. */
  give(block: Buffer): void;
}

/** Each block is memory of its own. */
export const freshBlocks: Blocks = { take: newBlock, give: () => undefined };

const spare: Buffer[] = [];

/**
 * Blocks that are used again, also by the next layer: garbage of this size would be collected late.
 * A worker can read them, without a copy.
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
 * The same bytes in whole blocks, the last one shorter; none for no bytes. How the source was
 * divided leaves no trace.
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

import { BLOCK, SPARE } from "./limits.ts";

const spare: Buffer[] = [];

/**
 * Returns a block of {@link BLOCK} bytes with undefined content. Blocks are reused, also for the
 * next layer: garbage of this size would be freed late. A worker can read them without a copy.
 */
export function takeBlock(): Buffer {
  return spare.pop() ?? Buffer.from(new SharedArrayBuffer(BLOCK));
}

/** Takes back a block that is no longer used; without it, the block is garbage-collected. */
export function giveBlock(block: Buffer): void {
  if (spare.length < SPARE) spare.push(Buffer.from(block.buffer, 0, BLOCK));
}

/**
 * Yields the bytes in full blocks, except the last; none for no bytes. The blocks do not depend on
 * how the source divides the bytes.
 */
export async function* blocksOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let block = takeBlock();
  let filled = 0;
  for await (const chunk of source) {
    for (let taken = 0; taken < chunk.length; ) {
      const part = chunk.subarray(taken, taken + BLOCK - filled);
      block.set(part, filled);
      filled += part.length;
      taken += part.length;
      if (filled < BLOCK) continue;
      yield block;
      block = takeBlock();
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

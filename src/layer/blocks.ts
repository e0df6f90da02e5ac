/**
 * The same bytes in blocks of exactly `size`, the last one shorter; none for no bytes.
 * How the source was divided leaves no trace. Each block is memory of its own.
 */
export async function* blocksOf(source: AsyncIterable<Uint8Array>, size: number): AsyncIterable<Buffer> {
  let block = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  for await (const chunk of source) {
    for (let taken = 0; taken < chunk.length; ) {
      const part = chunk.subarray(taken, taken + size - filled);
      block.set(part, filled);
      filled += part.length;
      taken += part.length;
      if (filled < size) continue;
      yield block;
      block = Buffer.allocUnsafeSlow(size);
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

import { crc32 } from "node:zlib";
import { blocksOf } from "./blocks.ts";
import { deflateBlock, WINDOW } from "./deflate.ts";

/** Part of every layer's bytes: a change of these, or of what uses them, gives the same files another digest. */
const BLOCK = 1024 * 1024;

/** Blocks being deflated at once, 2 MiB of memory each: enough for the pool's threads, independent of their number. */
const IN_FLIGHT = 8;

/** RFC 1952 2.3: deflate, no name, no time, unknown system. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

/** RFC 1951 3.2.6: the last block, with nothing in it. */
const LAST_BLOCK = [3, 0];

/**
 * One gzip member of all the bytes, deflated block by block in the thread pool.
 * The output depends on the bytes, the level and Node's zlib only: not on chunks, threads or timing.
 * Holds at most {@link IN_FLIGHT} blocks and what they became.
 */
export async function* gzip(source: AsyncIterable<Uint8Array>, level: number): AsyncIterable<Uint8Array> {
  const queue: Promise<Buffer>[] = [];
  let dictionary: Buffer | undefined;
  let crc = 0;
  let length = 0;
  yield HEADER;
  for await (const block of blocksOf(source, BLOCK)) {
    const deflated = deflateBlock(block, dictionary, level);
    deflated.catch(() => undefined); // whoever awaits its turn reports it
    queue.push(deflated);
    dictionary = Buffer.from(block.subarray(-WINDOW));
    crc = crc32(block, crc);
    length += block.length;
    if (queue.length >= IN_FLIGHT) yield* shift(queue);
  }
  while (queue.length > 0) yield* shift(queue);
  yield trailer(crc, length);
}

async function* shift(queue: Promise<Buffer>[]): AsyncIterable<Buffer> {
  const oldest = await queue.shift();
  if (oldest !== undefined) yield oldest;
}

function trailer(crc: number, length: number): Buffer {
  const bytes = Buffer.from([...LAST_BLOCK, 0, 0, 0, 0, 0, 0, 0, 0]);
  bytes.writeUInt32LE(crc, 2);
  bytes.writeUInt32LE(length % 2 ** 32, 6);
  return bytes;
}

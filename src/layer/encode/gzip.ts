import { type Blocks, blocksOf, reusedBlocks } from "./blocks.ts";
import { deflateBlock, isIncompressible, store, WINDOW } from "./deflate.ts";
import { IN_LINE, LANES } from "./limits.ts";
import { type Sums, sumHere, type Totals } from "./sums.ts";

let deflating = 0;

/** RFC 1952 2.3: deflate, no name, no time, unknown system. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

/** RFC 1951 3.2.6: the last block, with nothing in it. */
const LAST_BLOCK = [3, 0];

export interface GzipOptions {
  /** Deflate level, 1 to 9. */
  readonly level: number;
  /** Is told of every block, and asked at the end. */
  readonly sums: Sums;
  /** Where the blocks go when nobody looks into them any more. */
  readonly blocks: Blocks;
}

/** One gzip member of all the bytes; see {@link gzipBlocks}. */
export function gzip(source: AsyncIterable<Uint8Array>, level: number): AsyncIterable<Uint8Array> {
  const blocks = reusedBlocks;
  return gzipBlocks(blocksOf(source, blocks), { level, sums: sumHere(), blocks });
}

/**
 * One gzip member of the blocks, which are whole but for the last; deflated in the thread pool, each with the end of the one before as dictionary.
 * The output depends on the bytes, the level and Node's zlib only: not on threads or timing. What it yields is memory of its own.
 * Holds at most {@link IN_LINE} blocks and what they became. Gives what the sums told.
 */
export async function* gzipBlocks(
  source: Iterable<Buffer> | AsyncIterable<Buffer>,
  { level, sums, blocks }: GzipOptions,
): AsyncGenerator<Uint8Array, Totals> {
  const line = new Line();
  let dictionary: Buffer | undefined;
  let length = 0;
  let hasEnded = false;
  try {
    yield HEADER;
    for await (const block of source) {
      line.add(block, dictionary, level, sums.add(block));
      dictionary = Buffer.from(block.subarray(-WINDOW));
      length += block.length;
      while (line.isFull()) yield await line.shift(blocks);
    }
    const ending = sums.end(); // first: a block may be summed up only when it is known to be the last
    ending.catch(() => undefined);
    hasEnded = true;
    while (!line.isEmpty()) yield await line.shift(blocks);
    const totals = await ending;
    yield trailer(totals.crc, length);
    return totals;
  } finally {
    if (!hasEnded) sums.drop();
  }
}

interface Job {
  readonly block: Buffer;
  /** undefined: it is stored as it is, which is made when its turn comes. */
  readonly deflated: Promise<Buffer> | undefined;
  readonly summed: Promise<void>;
}

/** Blocks in their order, being deflated. */
class Line {
  readonly #jobs: Job[] = [];

  add(block: Buffer, dictionary: Buffer | undefined, level: number, summed: Promise<void>): void {
    const deflated = isIncompressible(block) ? undefined : deflate(block, dictionary, level);
    for (const promise of [deflated, summed]) promise?.catch(() => undefined); // whoever awaits its turn reports it
    this.#jobs.push({ block, deflated, summed });
  }

  isFull(): boolean {
    const { length } = this.#jobs;
    return length > 1 && (deflating >= LANES || length >= IN_LINE); // the sums may answer for a block only after the next
  }

  isEmpty(): boolean {
    return this.#jobs.length === 0;
  }

  /** What the first became. Its block is given back. */
  async shift(blocks: Blocks): Promise<Buffer> {
    const job = this.#jobs.shift();
    if (!job) return Buffer.alloc(0);
    const bytes = job.deflated ? await job.deflated : store(job.block);
    await job.summed;
    blocks.give(job.block);
    return bytes;
  }
}

async function deflate(block: Buffer, dictionary: Buffer | undefined, level: number): Promise<Buffer> {
  deflating += 1;
  try {
    return await deflateBlock(block, dictionary, level);
  } finally {
    deflating -= 1;
  }
}

function trailer(crc: number, length: number): Buffer {
  const bytes = Buffer.from([...LAST_BLOCK, 0, 0, 0, 0, 0, 0, 0, 0]);
  bytes.writeUInt32LE(crc, 2);
  bytes.writeUInt32LE(length % 2 ** 32, 6);
  return bytes;
}

import { blocksOf, giveBlock } from "./blocks.ts";
import { deflateBlock, isIncompressible, store, WINDOW } from "./deflate.ts";
import { type Hasher, InlineHasher, type Totals } from "./hasher.ts";
import { DEFLATES_AT_ONCE, QUEUE_DEPTH } from "./limits.ts";

let deflating = 0;

/** RFC 1952 2.3: deflate, no name, no time, unknown system. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

/** RFC 1951 3.2.6: the last block, which is empty. */
const LAST_BLOCK = [3, 0];

interface GzipOptions {
  /** Deflate level, 1 to 9. */
  readonly level: number;
  /** Hashes the blocks. */
  readonly hasher: Hasher;
  /** Takes the blocks back once they are written. Default: {@link giveBlock}. */
  readonly give?: (block: Buffer) => void;
}

/** Compresses all bytes to one gzip member; see {@link gzipBlocks}. */
export function gzip(source: AsyncIterable<Uint8Array>, level: number): AsyncIterable<Uint8Array> {
  return gzipBlocks(blocksOf(source), { level, hasher: new InlineHasher() });
}

/**
 * Compresses blocks, all full except the last, to one gzip member. They are deflated in parallel,
 * each with the end of the one before as dictionary. The output depends only on the bytes and the
 * level, not on threads or timing. Yields new buffers. Holds at most {@link QUEUE_DEPTH} blocks and
 * their output. Returns the hasher's totals.
 */
export async function* gzipBlocks(
  source: Iterable<Buffer> | AsyncIterable<Buffer>,
  { level, hasher, give = giveBlock }: GzipOptions,
): AsyncGenerator<Uint8Array, Totals> {
  const jobs: Promise<Uint8Array>[] = [];
  let dictionary: Buffer | undefined;
  let length = 0;
  let hasEnded = false;
  try {
    yield HEADER;
    for await (const block of source) {
      const hashed = hasher.add(block);
      const compressed = compress(block, dictionary, level);
      const job = Promise.all([compressed, hashed]).then(([bytes]) => {
        give(block);
        return bytes;
      });
      job.catch(() => undefined); // reported where it is awaited
      jobs.push(job);
      dictionary = Buffer.from(block.subarray(-WINDOW));
      length += block.length;
      while (isFull(jobs.length)) for (const first of jobs.splice(0, 1)) yield await first;
    }
    const ending = hasher.end(); // before the rest, because the last block may be hashed only now
    ending.catch(() => undefined);
    hasEnded = true;
    for (const job of jobs) yield await job;
    const totals = await ending;
    yield trailer(totals.crc, length);
    return totals;
  } finally {
    if (!hasEnded) hasher.drop();
  }
}

/** At least two jobs wait, because the hasher may answer for a block only after the next. */
function isFull(waiting: number): boolean {
  return waiting > 1 && (deflating >= DEFLATES_AT_ONCE || waiting >= QUEUE_DEPTH);
}

async function compress(block: Buffer, dictionary: Buffer | undefined, level: number): Promise<Uint8Array> {
  if (isIncompressible(block)) return store(block);
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

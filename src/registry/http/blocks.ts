import type { IncomingMessage } from "node:http";
import { finished } from "node:stream";
import { createNursery } from "./nursery.ts";
import { createWatch } from "./watch.ts";

/** Each costs a trip through the thread pool when it is written. */
const BLOCK = 512 * 1024;
/** One for whoever reads, one that he may have asked for meanwhile, one to be filled. */
const BLOCKS = 3;
/** What came is not kept back for longer once more comes: whoever counts bytes and seconds shall see them. */
const PROMPT_MS = 250;

/**
 * The bytes of an answer in lent blocks (`Content.read`) of 512 KiB; a peer silent for `stallMs` while we wait for it ends with ETIMEDOUT, and
 * what came before a failure is given before it. Node makes new memory for every 64 KiB that come: what is copied at once out of it dies young,
 * while each piece that waits for a disk or another download lives long enough to cost a mark-compact of the whole heap
 * (a pull of 360 MB: 0.45 s of CPU for marking).
 */
export async function* readBlocks(
  message: IncomingMessage,
  stallMs: number,
): AsyncGenerator<Uint8Array, void, void> {
  const watch = createWatch((error) => message.destroy(error));
  const blocks = fillBlocks(message, watch.again);
  try {
    for (;;) {
      watch.expect("no more bytes came", stallMs);
      const block = await blocks.next();
      watch.rest();
      if (!block) return;
      yield block;
    }
  } finally {
    watch.rest();
    if (!message.readableEnded) message.destroy();
  }
}

interface Blocks {
  /** undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
}

function fillBlocks(message: IncomingMessage, onData: () => void): Blocks {
  const size = Math.max(1, Math.min(BLOCK, Number(message.headers["content-length"] ?? BLOCK) || BLOCK));
  const take = inTurn(BLOCKS, size);
  const bear = createNursery();
  let block = take();
  let [held, beganAt] = [0, 0];
  /** Of a piece that found no room. */
  let rest: Uint8Array = block.subarray(0, 0);
  let end: { readonly error?: Error | null | undefined } | undefined;
  let wake = (): void => undefined;

  const isReady = (): boolean =>
    end !== undefined || held === size || (held > 0 && performance.now() - beganAt > PROMPT_MS);
  const fill = (piece: Uint8Array): void => {
    if (held === 0) beganAt = performance.now();
    const part = piece.subarray(0, size - held);
    block.set(part, held);
    held += part.length;
    rest = piece.subarray(part.length);
  };
  const handOver = (): Uint8Array => {
    const full = block.subarray(0, held);
    [block, held] = [take(), 0];
    if (rest.length > 0) fill(rest);
    if (held < size) message.resume();
    return full;
  };

  // got reads for a stream of its own, which nobody reads, and as long as somebody listens to that event nothing flows.
  message.removeAllListeners("readable");
  message.on("data", (piece: Uint8Array) => {
    onData();
    bear(piece.length);
    fill(piece);
    if (held === size) message.pause();
    if (isReady()) wake();
  });
  finished(message, { writable: false }, (error) => {
    end = { error };
    wake();
  });
  return {
    async next() {
      while (!isReady()) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (held > 0) return handOver();
      if (end?.error) throw end.error;
      return undefined;
    },
  };
}

/** So many pieces of memory, made when they are first needed, in turn. */
function inTurn(count: number, size: number): () => Buffer {
  const made: Buffer[] = [];
  return () => {
    const next = made.length < count ? Buffer.allocUnsafeSlow(size) : made.shift();
    const buffer = next ?? Buffer.allocUnsafeSlow(size);
    made.push(buffer);
    return buffer;
  };
}

import type { Duplex } from "node:stream";
import { createCutter } from "./chunks.ts";

/**
 * Writes all of `source`, whose pieces may be lent, and ends the stream. Resolves when the last byte is with the network; `onWritten` is told of
 * all bytes so far. What the source throws destroys the stream.
 */
export async function pump(
  source: AsyncIterable<Uint8Array>,
  stream: Duplex,
  onWritten: (bytes: number) => void,
): Promise<void> {
  const writer = writerOf(stream);
  const cut = createCutter();
  let written = 0;
  const write = async (piece: Uint8Array): Promise<void> => {
    for (const part of cut(piece)) {
      await writer.write(part);
      written += part.length;
      onWritten(written);
    }
  };
  try {
    await readAhead(source, write);
    await writer.end();
  } catch (error) {
    stream.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

/** Gives each piece to `use`, and asks for the next while that is under way: a disk is read while the network is at work. */
async function readAhead(
  source: AsyncIterable<Uint8Array>,
  use: (piece: Uint8Array) => Promise<void>,
): Promise<void> {
  const pieces = source[Symbol.asyncIterator]();
  try {
    let next = pieces.next();
    for (let piece = await next; !piece.done; piece = await next) {
      const used = use(piece.value);
      next = pieces.next();
      next.catch(() => undefined); // thrown where it is waited for
      await used;
    }
  } finally {
    await pieces.return?.();
  }
}

interface Writer {
  /** Resolves when the memory of `bytes` is free again. */
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
}

/** A stream that is destroyed does not always call back. */
function writerOf(stream: Duplex): Writer {
  let fail = (_: Error): void => undefined;
  stream.once("close", () => fail(new Error("the request was given up")));
  const called = (start: (done: (error?: Error | null) => void) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      fail = reject;
      start((error) => (error ? reject(error) : resolve()));
    });
  return {
    write: (bytes) => called((done) => stream.write(bytes, done)),
    end: () => called((done) => stream.end(done)),
  };
}

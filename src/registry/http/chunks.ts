import { LambdaPackError } from "../../errors.ts";

/** Smaller pieces are gathered; copying larger ones costs more than it saves (measured, 200 MiB: 216 ms of CPU against 100). */
const GATHER = 64 * 1024;

/**
 * Larger pieces are cut, because Node sees of a write over TLS only its end: a slow line must get a piece through before it is taken
 * for dead (30 s for 256 KiB: 9 KiB/s).
 */
const CUT = 256 * 1024;

/** On a line that takes pieces in no time larger ones cost less: each waits for a turn of the event loop, which packing keeps busy. */
const LARGEST_CUT = 2 * 1024 * 1024;
const QUICK_MS = 250;

/**
 * The same bytes in pieces of 64 KiB and more (the last may be smaller). Lent pieces stay lent.
 * @throws CONTENT_MISMATCH when they are not `length`: the Content-Length is already sent.
 */
export async function* inChunks(
  source: AsyncIterable<Uint8Array>,
  length: number,
): AsyncGenerator<Uint8Array, void, void> {
  let pending: Uint8Array[] = [];
  let [held, total] = [0, 0];
  for await (const piece of source) {
    total += piece.length;
    if (total > length) throw wrongLength(`more than ${length}`, length);
    held += piece.length;
    // What waits for more is kept longer than lent memory may be.
    pending.push(held < GATHER ? Buffer.from(piece) : piece);
    if (held < GATHER) continue;
    yield join(pending);
    [pending, held] = [[], 0];
  }
  if (total < length) throw wrongLength(`${total}`, length);
  if (held > 0) yield join(pending);
}

/** Cuts what is to be written into pieces of 256 KiB, up to 2 MiB on a quick line. Whoever asks for the next piece has written the last. */
export function createCutter(): (bytes: Uint8Array) => Generator<Uint8Array, void, void> {
  let size = CUT;
  return function* (bytes) {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + size);
      const startedAt = performance.now();
      yield piece;
      at += piece.length;
      const isQuick = performance.now() - startedAt < QUICK_MS;
      size = isQuick ? Math.min(size * 2, LARGEST_CUT) : CUT;
    }
  };
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const [first] = pieces;
  return first && pieces.length === 1 ? first : Buffer.concat(pieces);
}

function wrongLength(got: string, length: number): LambdaPackError {
  return new LambdaPackError(
    "CONTENT_MISMATCH",
    `the content to send has ${got} bytes, not the ${length} announced`,
  );
}

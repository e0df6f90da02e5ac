import { LambdaPackError } from "../errors.ts";

/**
 * Feeding 64 KiB at a time costs 2.8 times as much as this, and more would gain little. Not more, because Node sees of a write over TLS
 * only its end: a slow line must get a piece through before it is taken for dead (30 s for 256 KiB: 9 KiB/s).
 */
export const CHUNK = 256 * 1024;

/**
 * The same bytes in pieces of 256 KiB (but the last).
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
    pending.push(piece);
    held += piece.length;
    if (held < CHUNK) continue;
    const rest = yield* whole(join(pending));
    [pending, held] = [rest.length > 0 ? [rest] : [], rest.length];
  }
  if (total < length) throw wrongLength(`${total}`, length);
  if (held > 0) yield join(pending);
}

/** All whole pieces of `bytes`; returns what is left. */
function* whole(bytes: Uint8Array): Generator<Uint8Array, Uint8Array, void> {
  let at = 0;
  for (; bytes.length - at >= CHUNK; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
  return bytes.subarray(at);
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

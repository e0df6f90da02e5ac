import { LambdaPackError } from "../errors.ts";

/** Feeding 64 KiB at a time costs 2.8 times as long as 1 MiB; from 256 KiB on there is little left to gain. */
const CHUNK = 256 * 1024;

/**
 * The same bytes in pieces of at least 256 KiB (but the last).
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
    yield join(pending);
    [pending, held] = [[], 0];
  }
  if (total < length) throw wrongLength(`${total}`, length);
  if (held > 0) yield join(pending);
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

import { LambdaPackError } from "../errors.ts";

/** Smaller pieces are gathered; copying larger ones costs more than it saves (measured, 200 MiB: 216 ms of CPU against 100). */
const GATHER = 64 * 1024;

/**
 * Larger pieces are cut, because Node sees of a write over TLS only its end: a slow line must get a piece through before it is taken
 * for dead (30 s for 256 KiB: 9 KiB/s).
 */
const CUT = 256 * 1024;

/**
 * The same bytes in pieces of 64 to 256 KiB (the last may be smaller). Cheapest when the source gives 256 KiB or more at a time.
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
    if (held < GATHER) continue;
    yield* cut(join(pending));
    [pending, held] = [[], 0];
  }
  if (total < length) throw wrongLength(`${total}`, length);
  if (held > 0) yield join(pending);
}

function* cut(bytes: Uint8Array): Generator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += CUT) yield bytes.subarray(at, at + CUT);
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

import { type Descriptor, mismatch } from "../oci/content.ts";
import { createDigester, type Digest } from "../oci/digest.ts";
import type { Watch } from "../oci/store.ts";
import { createBatches } from "./batches.ts";

export interface Copying extends Watch {
  /** What the bytes must turn out to be. */
  readonly expected?: Descriptor | undefined;
  /** Told of bytes when they are written. */
  readonly write: (bytes: Uint8Array) => Promise<void> | void;
}

/** Afterwards all bytes are written, and they are what was expected. Nothing is being written when this ends, however it ends. @throws CONTENT_MISMATCH. */
export async function copy(
  bytes: AsyncIterable<Uint8Array>,
  { signal, onBytes, expected, write }: Copying,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const digester = createDigester();
  let [size, written] = [0, 0];
  const writeAndTell = async (piece: Uint8Array): Promise<void> => {
    await write(piece);
    written += piece.length;
    onBytes?.(written);
  };
  const batches = createBatches(writeAndTell, expected?.size ?? Number.POSITIVE_INFINITY);
  try {
    for await (const chunk of bytes) {
      signal?.throwIfAborted();
      size += chunk.length;
      if (expected && size > expected.size)
        throw mismatch(expected.digest, `more than the ${expected.size} bytes of its descriptor`);
      digester.update(chunk);
      await batches.add(chunk);
    }
    await batches.end();
  } finally {
    await batches.stop();
  }
  signal?.throwIfAborted();
  const digest = digester.digest();
  if (expected) check(expected, digest, size);
  return { digest, size };
}

function check(expected: Descriptor, digest: Digest, size: number): void {
  if (size < expected.size)
    throw mismatch(expected.digest, `${size} of the ${expected.size} bytes of its descriptor`);
  if (digest !== expected.digest) throw mismatch(expected.digest, `bytes with the digest ${digest}`);
}

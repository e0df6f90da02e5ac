import { type Descriptor, mismatch } from "../oci/content.ts";
import { createDigester, type Digest } from "../oci/digest.ts";
import type { Watch } from "../oci/store.ts";

interface Copying extends Watch {
  /** The descriptor that the bytes have to match. */
  readonly expected?: Descriptor | undefined;
  readonly write: (bytes: Uint8Array) => Promise<void> | void;
}

/** Writes all bytes and checks them against `expected`. @throws CONTENT_MISMATCH. */
export async function copy(
  bytes: AsyncIterable<Uint8Array>,
  { signal, onBytes, expected, write }: Copying,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const digester = createDigester();
  let size = 0;
  for await (const chunk of bytes) {
    signal?.throwIfAborted();
    size += chunk.length;
    if (expected && size > expected.size)
      throw mismatch(expected.digest, `more than the ${expected.size} bytes of its descriptor`);
    digester.update(chunk);
    await write(chunk);
    onBytes?.(size);
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

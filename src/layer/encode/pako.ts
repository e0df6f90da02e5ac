import { Deflate } from "pako";
import { MEMORY_LEVEL } from "./limits.ts";

const Z_SYNC_FLUSH = 2;

/** In bytes: enough for most deflated blocks, so that the output is one chunk. */
const CHUNK_BYTES = 512 * 1024;

/**
 * Deflates a block as Node's zlib does, byte for byte (deflate.ts), in JavaScript: 2 to 3 times
 * slower. pako is pinned to the version whose bytes the tests compare.
 */
export function deflateWithPako(
  block: Uint8Array,
  dictionary: Uint8Array | undefined,
  level: number,
): Uint8Array {
  const deflate = new Deflate({
    raw: true,
    level,
    memLevel: MEMORY_LEVEL,
    chunkSize: CHUNK_BYTES,
    ...(dictionary && { dictionary }),
  });
  const chunks: Uint8Array[] = [];
  deflate.onData = (chunk: Uint8Array) => void chunks.push(chunk);
  deflate.push(block, Z_SYNC_FLUSH);
  if (deflate.err !== 0) throw new Error(`pako cannot deflate a block: ${deflate.msg}`);
  return Buffer.concat(chunks);
}

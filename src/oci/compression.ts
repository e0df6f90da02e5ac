export type Compression = "gzip" | "zstd" | "none";

/** Detects gzip (RFC 1952) and zstd (RFC 8878) by the first four bytes. */
export function detectCompression(start: Uint8Array): Compression {
  if (start[0] === 0x1f && start[1] === 0x8b) return "gzip";
  return start[0] === 0x28 && start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd ? "zstd" : "none";
}

/** Detects the compression of bytes, of which it reads only the first. */
export async function compressionOf(bytes: AsyncIterable<Uint8Array>): Promise<Compression> {
  let start = Buffer.alloc(0);
  for await (const chunk of bytes) {
    start = Buffer.concat([start, chunk.subarray(0, 4)]);
    if (start.length >= 4) break;
  }
  return detectCompression(start);
}

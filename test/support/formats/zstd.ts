/** RFC 8878: one frame of raw blocks, with a window of 2 MB unless another descriptor is given. */
export function zstdOf(bytes: Buffer, window = 0x58): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes.length || at === 0; at += BLOCK) {
    const piece = bytes.subarray(at, at + BLOCK);
    blocks.push(blockHeader(0, piece.length, at + BLOCK >= bytes.length), piece);
  }
  return Buffer.concat([frameHeader(window), ...blocks]);
}

/** As many zeros, each 128 KiB in four bytes. */
export function zstdZeros(blocks: number): Buffer {
  const block = Buffer.concat([blockHeader(1, BLOCK, false), Buffer.from([0])]);
  const all = Array.from({ length: blocks }, () => block);
  return Buffer.concat([frameHeader(0x58), ...all, blockHeader(0, 0, true)]);
}

const BLOCK = 128 * 1024;

function frameHeader(window: number): Buffer {
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, window]);
}

/** `type`: 0 is raw, 1 one byte that is repeated. */
function blockHeader(type: 0 | 1, size: number, isLast: boolean): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE((size << 3) | (type << 1) | (isLast ? 1 : 0), 0, 3);
  return header;
}

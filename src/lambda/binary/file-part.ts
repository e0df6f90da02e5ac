/** A file of which possibly only parts were read. */
export interface FilePart {
  readonly size: number;
  /** Returns exactly these bytes; undefined if some of them are beyond the end or were not read. */
  read(offset: number, length: number): Buffer | undefined;
}

/** Returns a file of which the start and possibly the end were read. */
export function partOf(size: number, head: Buffer, tail: Buffer = Buffer.alloc(0)): FilePart {
  const tailAt = size - tail.length;
  return {
    size,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > size) return undefined;
      if (offset + length <= head.length) return head.subarray(offset, offset + length);
      if (offset < tailAt) return undefined;
      return tail.subarray(offset - tailAt, offset - tailAt + length);
    },
  };
}

/** A write costs a trip through the thread pool: small pieces share one. */
const BATCH = 512 * 1024;

/** Takes pieces of any length to a writer, in pieces that are worth a write. */
export interface Batches {
  /** Afterwards the memory of `bytes` is the caller's again. Some of it may be written later. @throws what writing threw, now or before. */
  add(bytes: Uint8Array): Promise<void>;
  /** Afterwards all is written. */
  end(): Promise<void>;
  /** Afterwards nothing is being written any more. */
  stop(): Promise<void>;
}

/**
 * Small pieces are copied into one of two buffers, of which one is written while the other is filled. New memory for each batch is what Node
 * would collect again and again: pulling 360 MB took 35 mark-compacts so, and takes 7 like this.
 */
export function createBatches(write: (bytes: Uint8Array) => Promise<void> | void, size: number): Batches {
  const length = Math.max(1, Math.min(size, BATCH));
  let [buffer, spare]: (Buffer | undefined)[] = [];
  let held = 0;
  let underWay: Promise<void> | undefined;

  const flush = async (): Promise<void> => {
    await underWay;
    if (!buffer || held === 0) return;
    underWay = write(buffer.subarray(0, held)) ?? undefined;
    underWay?.catch(() => undefined); // told to whoever waits for it
    [buffer, spare] = [spare, buffer];
    held = 0;
  };
  const fill = async (bytes: Uint8Array): Promise<void> => {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + length - held);
      buffer ??= Buffer.allocUnsafeSlow(length);
      buffer.set(part, held);
      [at, held] = [at + part.length, held + part.length];
      if (held === length) await flush();
    }
  };
  const end = async (): Promise<void> => {
    await flush();
    await underWay;
  };
  return {
    async add(bytes) {
      if (bytes.length < BATCH) return fill(bytes);
      await end();
      await write(bytes);
    },
    end,
    stop: async () => underWay?.catch(() => undefined),
  };
}

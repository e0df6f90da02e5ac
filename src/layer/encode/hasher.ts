import { createHash } from "node:crypto";
import { setImmediate as yieldToEventLoop } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { type Digest, parseDigest } from "../../oci/digest.ts";
import { hashThread, type Thread } from "./worker-threads.ts";

/** The hashes of a complete stream. */
export interface Totals {
  readonly digest: Digest;
  /** CRC-32, as in gzip. */
  readonly crc: number;
}

/** Computes the SHA-256 and the CRC-32 of a stream of blocks. */
export interface Hasher {
  /**
   * Hashes the next block. Resolves when its memory can be reused, possibly only after the next
   * block or `end`.
   */
  add(block: Buffer): Promise<void>;
  /** Called once, after the last block. */
  end(): Promise<Totals>;
  /** Called instead of `end` when the result is no longer wanted. */
  drop(): void;
}

/** Hashes on the calling thread. */
export class InlineHasher implements Hasher {
  readonly #hash = createHash("sha256");
  #crc = 0;

  async add(block: Buffer): Promise<void> {
    this.#hash.update(block);
    this.#crc = crc32(block, this.#crc);
    await yieldToEventLoop(); // so that signals and timers get a turn
  }

  async end(): Promise<Totals> {
    return { digest: parseDigest(`sha256:${this.#hash.digest("hex")}`), crc: this.#crc };
  }

  drop(): void {}
}

/**
 * Hashes on a worker thread from the second block on, because one block is hashed faster than a
 * thread starts. Without a thread it hashes on the calling one. Blocks are in shared memory.
 */
export class WorkerHasher implements Hasher {
  #count = 0;
  #choose: (hasher: Hasher | Promise<Hasher>) => void = () => undefined;
  readonly #chosen = new Promise<Hasher>((resolve) => {
    this.#choose = resolve;
  });

  async add(block: Buffer): Promise<void> {
    this.#count += 1;
    if (this.#count === 2) this.#choose(threadHasher());
    await (await this.#chosen).add(block);
  }

  async end(): Promise<Totals> {
    this.#choose(new InlineHasher()); // for one block: later calls have no effect
    return (await this.#chosen).end();
  }

  drop(): void {
    this.#choose(new InlineHasher());
    void this.#chosen.then((hasher) => hasher.drop());
  }
}

async function threadHasher(): Promise<Hasher> {
  const thread = hashThread();
  return thread && (await thread.isReady) ? new ThreadHasher(thread) : new InlineHasher();
}

let streams = 0;

class ThreadHasher implements Hasher {
  readonly #thread: Thread;
  readonly #stream = streams++;

  constructor(thread: Thread) {
    this.#thread = thread;
  }

  async add({ buffer: memory, length }: Buffer): Promise<void> {
    await this.#thread.ask({ kind: "block", stream: this.#stream, memory, length });
  }

  async end(): Promise<Totals> {
    const answer = await this.#thread.ask({ kind: "end", stream: this.#stream });
    if (answer.kind !== "hash") throw new Error("the hashing thread gave no digest");
    return { digest: parseDigest(`sha256:${answer.hex}`), crc: answer.crc };
  }

  drop(): void {
    this.#thread.ask({ kind: "drop", stream: this.#stream }).catch(() => undefined);
  }
}

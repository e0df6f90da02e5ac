import { createHash } from "node:crypto";
import { setImmediate as yieldToEventLoop } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { type Digest, parseDigest } from "../../oci/digest.ts";
import { leaseHashThread, type WorkerLease } from "./worker-threads.ts";

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

interface Added {
  readonly block: Buffer;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Hashes on a worker thread from the second block on, because one block is hashed faster than a
 * thread starts. Without a thread it hashes on the calling one. Blocks are in shared memory.
 */
export class WorkerHasher implements Hasher {
  /** Blocks without an answer, in order; their bytes are unchanged. */
  readonly #added: Added[] = [];
  #lease: WorkerLease | undefined;
  #inline: InlineHasher | undefined;
  #hasAnswered = false;
  #count = 0;

  add(block: Buffer): Promise<void> {
    if (this.#inline) return this.#inline.add(block);
    this.#count += 1;
    const answered = new Promise<void>((resolve, reject) => this.#added.push({ block, resolve, reject }));
    if (this.#count === 2) this.#start();
    else if (this.#lease) this.#send(this.#lease, block);
    return answered;
  }

  async end(): Promise<Totals> {
    const totals = this.#inline ? undefined : await this.#endInWorker();
    return totals ?? (this.#inline ?? this.#continueInline()).end();
  }

  drop(): void {
    this.#lease?.release();
  }

  /** Returns undefined if there is no thread, or if it never started. */
  async #endInWorker(): Promise<Totals | undefined> {
    try {
      const answer = await this.#lease?.ask({ kind: "end" });
      if (answer === undefined) return undefined;
      if (answer.kind !== "end") throw new Error("the hashing thread gave no digest");
      return { digest: parseDigest(`sha256:${answer.hex}`), crc: answer.crc };
    } catch (error) {
      if (this.#hasAnswered) throw error;
      return undefined;
    } finally {
      this.drop();
    }
  }

  #start(): void {
    const lease = leaseHashThread();
    this.#lease = lease;
    if (!lease) this.#continueInline();
    else for (const { block } of this.#added) this.#send(lease, block);
  }

  #send(lease: WorkerLease, block: Buffer): void {
    lease.ask({ kind: "block", memory: block.buffer, length: block.length }).then(
      () => this.#answered(),
      (error) => this.#lost(error),
    );
  }

  #answered(): void {
    this.#hasAnswered = true;
    this.#added.shift()?.resolve();
  }

  /**
   * Rejects after a first answer, because the thread's hash is lost; before it, hashes the blocks
   * again.
   */
  #lost(error: unknown): void {
    if (this.#hasAnswered) for (const { reject } of this.#added.splice(0)) reject(error);
    else if (!this.#inline) this.#continueInline();
  }

  #continueInline(): InlineHasher {
    const inline = new InlineHasher();
    this.#inline = inline;
    for (const { block, resolve, reject } of this.#added.splice(0)) inline.add(block).then(resolve, reject);
    return inline;
  }
}

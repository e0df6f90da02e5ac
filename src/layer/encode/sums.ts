import { createHash } from "node:crypto";
import { setImmediate as breathe } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { type Digest, parseDigest } from "../../oci/digest.ts";
import { type HashThread, joinHashThread } from "./hash-thread.ts";
import type { HashAnswer, HashTask } from "./hash-worker.ts";

/** What is known of a stream at its end. */
export interface Totals {
  readonly digest: Digest;
  /** CRC-32, as gzip has it. */
  readonly crc: number;
}

/** Sums up a stream of blocks. Rejects nobody but who waits. */
export interface Sums {
  /** The next block. Resolves when its memory may be used for something else, which may take until there is another block, or the end. */
  add(block: Buffer): Promise<void>;
  /** Once, after the last block. */
  end(): Promise<Totals>;
  /** Instead of `end`: nobody wants to know any more. */
  drop(): void;
}

/** On this thread. */
export function sumHere(): Sums {
  const hash = createHash("sha256");
  let crc = 0;
  return {
    async add(block) {
      hash.update(block);
      crc = crc32(block, crc);
      await breathe(); // so that a signal is heard
    },
    end: async () => ({ digest: parseDigest(`sha256:${hash.digest("hex")}`), crc }),
    drop: () => undefined,
  };
}

interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

interface Added extends Waiting<void> {
  readonly block: Buffer;
}

let streams = 0;

/**
 * On a thread beside, from the second block on: one block is summed up sooner than a thread is started.
 * Where there is no thread, or it never came to be, on this one.
 */
export class SumsBeside implements Sums {
  readonly #stream = streams++;
  /** Not answered yet, in order: their bytes are as they were. */
  readonly #added: Added[] = [];
  #end: Waiting<Totals> | undefined;
  #thread: HashThread | undefined;
  #here: Sums | undefined;
  #hasAnswered = false;
  #count = 0;

  add(block: Buffer): Promise<void> {
    if (this.#here) return this.#here.add(block);
    this.#count += 1;
    const answered = new Promise<void>((resolve, reject) => this.#added.push({ block, resolve, reject }));
    if (this.#count === 2) this.#join();
    else if (this.#thread) this.#tell(block);
    return answered;
  }

  end(): Promise<Totals> {
    if (!this.#thread && !this.#here) this.#goOnHere();
    if (this.#here) return this.#here.end();
    this.#thread?.tell({ stream: this.#stream, kind: "end" });
    return new Promise((resolve, reject) => {
      this.#end = { resolve, reject };
    });
  }

  drop(): void {
    this.#thread?.tell({ stream: this.#stream, kind: "drop" });
    this.#thread?.leave(this.#stream);
  }

  #join(): void {
    this.#thread = joinHashThread(this.#stream, {
      answered: (answer) => this.#answered(answer),
      lost: (error) => this.#lost(error),
    });
    if (!this.#thread) this.#goOnHere();
    for (const { block } of this.#added) this.#tell(block);
  }

  #tell(block: Buffer): void {
    const task = { stream: this.#stream, kind: "block", memory: block.buffer, length: block.length };
    this.#thread?.tell(task as HashTask); // the memory is that of Blocks, which is shared
  }

  #answered(answer: HashAnswer): void {
    this.#hasAnswered = true;
    if (answer.kind === "block") this.#added.shift()?.resolve();
    else {
      this.#thread?.leave(this.#stream);
      this.#end?.resolve({ digest: parseDigest(`sha256:${answer.hex}`), crc: answer.crc });
    }
  }

  /** What it has summed up so far is lost with it; if that is nothing, all is still there. */
  #lost(error: Error): void {
    this.#thread = undefined;
    if (this.#hasAnswered)
      for (const { reject } of [...this.#added, ...[this.#end ?? []].flat()]) reject(error);
    else this.#goOnHere();
  }

  #goOnHere(): void {
    const here = sumHere();
    this.#here = here;
    for (const { block, resolve, reject } of this.#added.splice(0)) here.add(block).then(resolve, reject);
    if (this.#end) here.end().then(this.#end.resolve, this.#end.reject);
  }
}

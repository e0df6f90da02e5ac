import { createHash } from "node:crypto";
import { setImmediate as breathe } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { type Digest, parseDigest } from "../../oci/digest.ts";
import { joinThread, type Place } from "./threads.ts";
import type { Answer, Task } from "./worker.ts";

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

interface Added {
  readonly block: Buffer;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * On a thread beside, from the second block on: one block is summed up sooner than a thread is started.
 * Where there is no thread, or it never came to be, on this one.
 */
export class SumsBeside implements Sums {
  /** Not answered yet, in order: their bytes are as they were. */
  readonly #added: Added[] = [];
  #place: Place | undefined;
  #here: Sums | undefined;
  #hasAnswered = false;
  #count = 0;

  add(block: Buffer): Promise<void> {
    if (this.#here) return this.#here.add(block);
    this.#count += 1;
    const answered = new Promise<void>((resolve, reject) => this.#added.push({ block, resolve, reject }));
    if (this.#count === 2) this.#join();
    else if (this.#place) this.#tell(this.#place, block);
    return answered;
  }

  async end(): Promise<Totals> {
    const totals = this.#here ? undefined : await this.#endBeside();
    return totals ?? (this.#here ?? this.#goOnHere()).end();
  }

  drop(): void {
    this.#place?.leave();
  }

  /** undefined: there is no thread, or it never came to be. */
  async #endBeside(): Promise<Totals | undefined> {
    try {
      return this.#place && totalsOf(await this.#place.ask({ kind: "end" }));
    } catch (error) {
      if (this.#hasAnswered) throw error;
      return undefined;
    } finally {
      this.drop();
    }
  }

  #join(): void {
    const place = joinThread();
    this.#place = place;
    if (!place) this.#goOnHere();
    else for (const { block } of this.#added) this.#tell(place, block);
  }

  #tell(place: Place, block: Buffer): void {
    const task = { kind: "block", memory: block.buffer, length: block.length } as Task; // the memory is that of Blocks, which is shared
    place.ask(task).then(
      () => this.#answered(),
      (error) => this.#lost(error),
    );
  }

  #answered(): void {
    this.#hasAnswered = true;
    this.#added.shift()?.resolve();
  }

  /** What it has summed up so far is lost with it; if that is nothing, all is still there. */
  #lost(error: unknown): void {
    if (this.#hasAnswered) for (const { reject } of this.#added.splice(0)) reject(error);
    else if (!this.#here) this.#goOnHere();
  }

  #goOnHere(): Sums {
    const here = sumHere();
    this.#here = here;
    for (const { block, resolve, reject } of this.#added.splice(0)) here.add(block).then(resolve, reject);
    return here;
  }
}

/** What a thread says at the end. */
export function totalsOf(answer: Answer | undefined): Totals {
  if (answer?.kind !== "end") throw new Error("the thread that hashes has said something else than the end");
  return { digest: parseDigest(`sha256:${answer.hex}`), crc: answer.crc };
}

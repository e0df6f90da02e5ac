import { createHash } from "node:crypto";
import { parentPort } from "node:worker_threads";
import { crc32 } from "node:zlib";
import { type ErrorCode, LambdaPackError } from "../../errors.ts";
import type { Blocks } from "./blocks.ts";
import { FedTar, type Portion } from "./fed-tar.ts";
import { BLOCK } from "./limits.ts";

/** What is to be done for a stream: either its blocks come from elsewhere, and have to be summed up, or what the tar is made of that it is. */
export type Task =
  | { readonly kind: "block"; readonly memory: SharedArrayBuffer; readonly length: number }
  | ({ readonly kind: "portion"; readonly mtime: Date } & Portion)
  | { readonly kind: "end" };

/** Of the last portion the answer is the end. */
export type Answer =
  /** The memory may be used for something else, and the next portion may come. */
  { readonly kind: "more" } | { readonly kind: "end"; readonly hex: string; readonly crc: number };

/** An error, as it gets from one thread to another: one of ours with what it has of its own, which another class's would lose. */
export type Failure =
  | {
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string | undefined;
      readonly cause: unknown;
    }
  | { readonly code: undefined; readonly error: unknown };

/** Until `drop`, which is the last. */
export type Message = { readonly stream: number } & (Task | { readonly kind: "drop" });

/** One for each task, in their order, up to the end or the failure. */
export type Reply = { readonly stream: number } & (
  | Answer
  | { readonly kind: "failed"; readonly failure: Failure }
);

const MORE: Answer = { kind: "more" };

/** A block is summed up before the next is filled, whichever stream it is of. */
const memory = Buffer.alloc(BLOCK);
const ownBlock: Blocks = { take: () => memory, give: () => undefined };

class Stream {
  readonly #hash = createHash("sha256");
  #crc = 0;
  #tar: FedTar | undefined;

  do(task: Task): Answer {
    if (task.kind === "end") return this.#end();
    if (task.kind === "block") {
      const bytes = Buffer.from(task.memory, 0, task.length);
      this.#hash.update(bytes);
      this.#crc = crc32(bytes, this.#crc);
      return MORE;
    }
    this.#tar ??= new FedTar(task.mtime, ownBlock);
    for (const block of this.#tar.feed(task)) this.#hash.update(block);
    return task.isLast ? this.#end() : MORE;
  }

  drop(): void {
    this.#tar?.drop();
  }

  #end(): Answer {
    return { kind: "end", hex: this.#hash.digest("hex"), crc: this.#crc };
  }
}

const streams = new Map<number, Stream | "over">();

function reply(message: Message): Reply | undefined {
  const { stream: number } = message;
  const stream = streams.get(number) ?? new Stream();
  if (message.kind === "drop") {
    streams.delete(number);
    if (stream !== "over") stream.drop();
    return undefined;
  }
  if (stream === "over") return undefined;
  streams.set(number, stream);
  try {
    const answer = stream.do(message);
    if (answer.kind === "end") streams.set(number, "over");
    return { stream: number, ...answer };
  } catch (error) {
    streams.set(number, "over");
    return { stream: number, kind: "failed", failure: failureOf(error) };
  }
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof LambdaPackError)) return { code: undefined, error };
  const { code, message, hint, cause } = error;
  return { code, message, hint, cause };
}

parentPort?.on("message", (message: Message) => {
  const answer = reply(message);
  if (answer) parentPort?.postMessage(answer);
});

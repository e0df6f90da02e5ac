import { createHash } from "node:crypto";
import { parentPort } from "node:worker_threads";
import { crc32 } from "node:zlib";

/**
 * Work for a thread. The blocks of a stream come in order; after them `end` asks for their hash, or
 * `drop` forgets it.
 */
export type Task =
  | {
      readonly kind: "block";
      readonly stream: number;
      readonly memory: ArrayBufferLike;
      readonly length: number;
    }
  | { readonly kind: "end" | "drop"; readonly stream: number }
  | {
      readonly kind: "deflate";
      readonly memory: ArrayBufferLike;
      readonly length: number;
      readonly dictionary: Uint8Array | undefined;
      readonly level: number;
    };

/** `done`: the thread has started, or the memory of a block can be reused. */
export type Answer =
  | { readonly kind: "done" }
  | { readonly kind: "hash"; readonly hex: string; readonly crc: number }
  | { readonly kind: "deflated"; readonly bytes: Uint8Array };

const streams = new Map<number, { readonly hash: ReturnType<typeof createHash>; crc: number }>();

async function answerTo(task: Task): Promise<Answer> {
  if (task.kind === "deflate") {
    const { deflateWithPako } = await import("./pako.ts"); // most builds need no pako
    const block = Buffer.from(task.memory, 0, task.length);
    return { kind: "deflated", bytes: deflateWithPako(block, task.dictionary, task.level) };
  }
  const stream = streams.get(task.stream) ?? { hash: createHash("sha256"), crc: 0 };
  streams.set(task.stream, stream);
  if (task.kind === "block") {
    const bytes = Buffer.from(task.memory, 0, task.length);
    stream.hash.update(bytes);
    stream.crc = crc32(bytes, stream.crc);
    return { kind: "done" };
  }
  streams.delete(task.stream);
  return task.kind === "end"
    ? { kind: "hash", hex: stream.hash.digest("hex"), crc: stream.crc }
    : { kind: "done" };
}

function post(answer: Answer): void {
  parentPort?.postMessage(answer);
}

/** Answers come in the order of the tasks, which have no other names. */
let answered: Promise<void> = Promise.resolve();

parentPort?.on("message", (task: Task) => {
  answered = answered.then(() => answerTo(task)).then(post);
});
post({ kind: "done" });

import { createHash, type Hash } from "node:crypto";
import { parentPort } from "node:worker_threads";
import { crc32 } from "node:zlib";

/** What a worker that hashes is told, of one of several streams of blocks. */
export type HashTask =
  | {
      readonly stream: number;
      readonly kind: "block";
      readonly memory: SharedArrayBuffer;
      readonly length: number;
    }
  | { readonly stream: number; readonly kind: "end" | "drop" };

/** One answer for each block, which may be used for something else then, and one for the end. In the order of the tasks. */
export type HashAnswer =
  | { readonly stream: number; readonly kind: "block" }
  | { readonly stream: number; readonly kind: "end"; readonly hex: string; readonly crc: number };

interface Running {
  readonly hash: Hash;
  crc: number;
}

const streams = new Map<number, Running>();

function runningOf(stream: number): Running {
  const running = streams.get(stream) ?? { hash: createHash("sha256"), crc: 0 };
  streams.set(stream, running);
  return running;
}

function answer(task: HashTask): HashAnswer | undefined {
  const { stream } = task;
  const running = runningOf(stream);
  if (task.kind === "block") {
    const bytes = Buffer.from(task.memory, 0, task.length);
    running.hash.update(bytes);
    running.crc = crc32(bytes, running.crc);
    return { stream, kind: "block" };
  }
  streams.delete(stream);
  if (task.kind === "drop") return undefined;
  return { stream, kind: "end", hex: running.hash.digest("hex"), crc: running.crc };
}

parentPort?.on("message", (task: HashTask) => {
  const told = answer(task);
  if (told) parentPort?.postMessage(told);
});

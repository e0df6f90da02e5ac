import { createHash } from "node:crypto";
import { parentPort } from "node:worker_threads";
import { crc32 } from "node:zlib";

/** Work for one stream. Blocks of a stream come in order, and `end` gives their hash. */
export type Task =
  | { readonly kind: "block"; readonly memory: ArrayBufferLike; readonly length: number }
  | { readonly kind: "end" }
  | {
      readonly kind: "deflate";
      readonly memory: ArrayBufferLike;
      readonly length: number;
      readonly dictionary: Uint8Array | undefined;
      readonly level: number;
    };

/** `taken`: the memory of the block can be reused. */
export type Answer =
  | { readonly kind: "taken" }
  | { readonly kind: "end"; readonly hex: string; readonly crc: number }
  | { readonly kind: "deflated"; readonly bytes: Uint8Array };

export type Message = { readonly stream: number } & (Task | { readonly kind: "drop" });

/** One reply for each task, in order. */
export type Reply = { readonly stream: number } & (
  | Answer
  | { readonly kind: "failed"; readonly error: unknown }
);

class Stream {
  readonly #hash = createHash("sha256");
  #crc = 0;

  async do(task: Task): Promise<Answer> {
    if (task.kind === "end") return { kind: "end", hex: this.#hash.digest("hex"), crc: this.#crc };
    const bytes = Buffer.from(task.memory, 0, task.length);
    if (task.kind === "deflate") {
      const { deflateWithPako } = await import("./pako.ts"); // most builds need no pako
      return { kind: "deflated", bytes: deflateWithPako(bytes, task.dictionary, task.level) };
    }
    this.#hash.update(bytes);
    this.#crc = crc32(bytes, this.#crc);
    return { kind: "taken" };
  }
}

const streams = new Map<number, Stream>();

async function reply(stream: number, task: Task): Promise<Reply> {
  const known = streams.get(stream) ?? new Stream();
  streams.set(stream, known);
  try {
    return { stream, ...(await known.do(task)) };
  } catch (error) {
    return { stream, kind: "failed", error };
  }
}

parentPort?.on("message", (message: Message) => {
  const { stream, ...task } = message;
  if (task.kind === "drop") streams.delete(stream);
  else void reply(stream, task).then((answer) => parentPort?.postMessage(answer));
});

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { HashAnswer, HashTask } from "./hash-worker.ts";

/** One who has given blocks to the thread and waits for its answers. */
export interface HashClient {
  answered(answer: HashAnswer): void;
  /** The thread is gone, or never came to be. No other call follows. */
  lost(error: Error): void;
}

export interface HashThread {
  tell(task: HashTask): void;
  /** The client is told nothing more. */
  leave(stream: number): void;
}

/** All it has of its own are a hash and a few messages. */
const HEAP = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 };

/** It waits so long for the next layer. */
const LINGER_MS = 1000;

let thread: Worker | undefined;
let ending: NodeJS.Timeout | undefined;
const clients = new Map<number, HashClient>();

/**
 * The one thread of this process that hashes, started when it is first needed; its start takes about 20 ms, so that layers share it.
 * It keeps the process alive only while somebody waits for it, and ends when nobody has for a second.
 * undefined where there can be none or it would not help.
 */
export function joinHashThread(stream: number, client: HashClient): HashThread | undefined {
  if (availableParallelism() === 1) return undefined;
  thread ??= startThread();
  if (!thread) return undefined;
  const joined = thread;
  clearTimeout(ending);
  joined.ref();
  clients.set(stream, client);
  return { tell: (task) => joined.postMessage(task), leave };
}

function leave(stream: number): void {
  clients.delete(stream);
  if (clients.size > 0) return;
  thread?.unref();
  clearTimeout(ending); // whoever leaves twice must not leave a timer behind that nobody clears
  ending = setTimeout(stopThread, LINGER_MS).unref();
}

/** Never under the hands of somebody: a thread that was ended on purpose tells nobody that it is gone. */
function stopThread(): void {
  if (clients.size > 0) return;
  void thread?.terminate();
  thread = undefined;
}

/** A bundler may have left the file behind, and Node's permission model may forbid threads: then it is done without. */
function startThread(): Worker | undefined {
  try {
    // The file beside this one, as it was compiled or as it was written.
    const worker = new Worker(new URL(`hash-worker${import.meta.url.slice(-3)}`, import.meta.url), {
      resourceLimits: HEAP,
    });
    worker.on("message", (answer: HashAnswer) => clients.get(answer.stream)?.answered(answer));
    worker.on("error", (error) => lose(worker, error));
    worker.on("exit", () => lose(worker, new Error("the thread that hashes has ended")));
    return worker;
  } catch {
    return undefined;
  }
}

function lose(worker: Worker, error: Error): void {
  if (thread !== worker) return;
  thread = undefined;
  const left = [...clients.values()];
  clients.clear();
  for (const client of left) client.lost(error);
}

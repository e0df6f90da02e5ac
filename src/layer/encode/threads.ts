import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { LambdaPackError } from "../../errors.ts";
import type { Answer, Failure, Message, Reply, Task } from "./worker.ts";

/** What one has to do with a thread that others may have to do with as well. */
export interface Place {
  /** In the order of the tasks. @throws ThreadLost, and what failed there. */
  ask(task: Task): Promise<Answer>;
  /** What was asked and not answered never is. */
  leave(): void;
}

/** The thread is gone, or never came to be. */
export class ThreadLost extends Error {}

/**
 * At a thread that hashes, the same for all: it is started when it is first needed, which takes about 20 ms.
 * undefined where there can be none or it would not help.
 */
export function joinThread(): Place | undefined {
  return (pool[0] ?? started())?.join("hash");
}

/** At a thread that reads for nobody else; undefined also where `most` are reading. */
export function joinIdleThread(most: number): Place | undefined {
  const idle = pool.find((thread) => !thread.isReading());
  return (idle ?? (pool.length < most ? started() : undefined))?.join("read");
}

/** All that a thread has of its own are hashes, a block, and the entries of a few portions. */
const HEAP = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 };

/** A thread waits so long for the next layer. */
const LINGER_MS = 1000;

const pool: Thread[] = [];
let ending: NodeJS.Timeout | undefined;
let streams = 0;

/** A bundler may have left the file behind, and Node's permission model may forbid threads: then it is done without. */
function started(): Thread | undefined {
  if (availableParallelism() === 1) return undefined;
  try {
    const thread = new Thread();
    pool.push(thread);
    return thread;
  } catch {
    return undefined;
  }
}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

interface Client {
  readonly wants: "hash" | "read";
  /** For answers, in their order. */
  readonly waiting: Waiting[];
}

/** Keeps the process alive only while somebody is there, and ends when nobody has been for a second. */
class Thread {
  readonly #worker: Worker;
  readonly #clients = new Map<number, Client>();
  #loss: ThreadLost | undefined;

  constructor() {
    // The file beside this one, as it was compiled or as it was written.
    const file = new URL(`worker${import.meta.url.slice(-3)}`, import.meta.url);
    this.#worker = new Worker(file, { resourceLimits: HEAP });
    this.#worker.on("message", (reply: Reply) => this.#replied(reply));
    this.#worker.on("error", (cause) =>
      this.#lost(new ThreadLost("a thread that hashes has failed", { cause })),
    );
    this.#worker.on("exit", () => this.#lost(new ThreadLost("a thread that hashes has ended")));
  }

  join(wants: Client["wants"]): Place {
    const stream = streams++;
    clearTimeout(ending);
    this.#worker.ref();
    this.#clients.set(stream, { wants, waiting: [] });
    return { ask: (task) => this.#ask(stream, task), leave: () => this.#leave(stream) };
  }

  isReading(): boolean {
    return [...this.#clients.values()].some(({ wants }) => wants === "read");
  }

  isIdle(): boolean {
    return this.#clients.size === 0;
  }

  /** Nobody is told. */
  stop(): void {
    void this.#worker.terminate();
  }

  #ask(stream: number, task: Task): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#loss) return reject(this.#loss);
      this.#clients.get(stream)?.waiting.push({ resolve, reject });
      this.#tell({ stream, ...task });
    });
  }

  #leave(stream: number): void {
    if (!this.#clients.delete(stream)) return;
    this.#tell({ stream, kind: "drop" });
    if (!this.isIdle()) return;
    this.#worker.unref();
    clearTimeout(ending);
    ending = setTimeout(stopIdle, LINGER_MS).unref();
  }

  #tell(message: Message): void {
    this.#worker.postMessage(message);
  }

  #replied({ stream, ...reply }: Reply): void {
    const waiting = this.#clients.get(stream)?.waiting.shift();
    if (reply.kind === "failed") waiting?.reject(errorOf(reply.failure));
    else waiting?.resolve(reply);
  }

  #lost(loss: ThreadLost): void {
    this.#loss ??= loss;
    remove(this);
    const clients = [...this.#clients.values()];
    this.#clients.clear();
    for (const { reject } of clients.flatMap(({ waiting }) => waiting)) reject(loss);
  }
}

function errorOf(failure: Failure): unknown {
  return failure.code ? new LambdaPackError(failure.code, failure.message, failure) : failure.error;
}

/** Never under the hands of somebody. */
function stopIdle(): void {
  for (const thread of pool.filter((one) => one.isIdle())) {
    remove(thread);
    thread.stop();
  }
}

function remove(thread: Thread): void {
  const at = pool.indexOf(thread);
  if (at >= 0) pool.splice(at, 1);
}

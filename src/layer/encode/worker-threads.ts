import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Answer, Message, Reply, Task } from "./worker.ts";

/** A lease on a worker thread that other streams may use at the same time. */
export interface WorkerLease {
  /** Answers come in the order of the tasks. Rejects when the thread is lost or the task fails. */
  ask(task: Task): Promise<Answer>;
  /** Ends the lease; tasks without an answer never get one. */
  release(): void;
}

/**
 * Returns a lease on the hashing thread, which all streams share. It is started when it is first
 * needed, which takes about 20 ms. undefined if no thread can be started or it would not help.
 */
export function leaseHashThread(): WorkerLease | undefined {
  return (pool[0] ?? start())?.lease();
}

/** Returns a lease on the least busy thread, of at most as many as there are cores. */
export function leaseIdleThread(): WorkerLease | undefined {
  const [idle] = [...pool].sort((a, b) => a.load - b.load);
  const isBusy = idle === undefined || idle.load > 0;
  return ((isBusy && pool.length < availableParallelism() ? start() : undefined) ?? idle)?.lease();
}

/** A thread holds hashes, and pako's tables if it deflates. */
const HEAP = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 64 };

/** A thread without work ends after this time. */
const LINGER_MS = 1000;

const pool: Thread[] = [];
let ending: NodeJS.Timeout | undefined;
let streams = 0;

/**
 * Returns undefined instead of failing: a bundler may have left the file out, and Node's permission
 * model may forbid threads.
 */
function start(): Thread | undefined {
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

/** Keeps the process alive only while there is a lease. */
class Thread {
  readonly #worker: Worker;
  /** The unanswered tasks of each stream, in order. */
  readonly #waiting = new Map<number, Waiting[]>();
  #loss: Error | undefined;

  constructor() {
    // The file beside this one, compiled or not.
    const file = new URL(`worker${import.meta.url.slice(-3)}`, import.meta.url);
    this.#worker = new Worker(file, { resourceLimits: HEAP });
    this.#worker.on("message", (reply: Reply) => this.#replied(reply));
    this.#worker.on("error", (cause) => this.#lost(new Error("a worker thread has failed", { cause })));
    this.#worker.on("exit", () => this.#lost(new Error("a worker thread has ended")));
  }

  /** The number of streams with a lease. */
  get load(): number {
    return this.#waiting.size;
  }

  lease(): WorkerLease {
    const stream = streams++;
    clearTimeout(ending);
    this.#worker.ref();
    this.#waiting.set(stream, []);
    return { ask: (task) => this.#ask(stream, task), release: () => this.#release(stream) };
  }

  stop(): void {
    void this.#worker.terminate();
  }

  #ask(stream: number, task: Task): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#loss) return reject(this.#loss);
      this.#waiting.get(stream)?.push({ resolve, reject });
      this.#post({ stream, ...task });
    });
  }

  #release(stream: number): void {
    if (!this.#waiting.delete(stream)) return;
    this.#post({ stream, kind: "drop" });
    if (this.load > 0) return;
    this.#worker.unref();
    clearTimeout(ending);
    ending = setTimeout(stopIdle, LINGER_MS).unref();
  }

  #post(message: Message): void {
    this.#worker.postMessage(message);
  }

  #replied({ stream, ...answer }: Reply): void {
    const waiting = this.#waiting.get(stream)?.shift();
    if (answer.kind === "failed") waiting?.reject(answer.error);
    else waiting?.resolve(answer);
  }

  #lost(loss: Error): void {
    this.#loss ??= loss;
    remove(this);
    const waiting = [...this.#waiting.values()].flat();
    this.#waiting.clear();
    for (const { reject } of waiting) reject(loss);
  }
}

function stopIdle(): void {
  for (const thread of pool.filter(({ load }) => load === 0)) {
    remove(thread);
    thread.stop();
  }
}

function remove(thread: Thread): void {
  const at = pool.indexOf(thread);
  if (at >= 0) pool.splice(at, 1);
}

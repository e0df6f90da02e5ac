import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Answer, Task } from "./worker.ts";

const pool: Thread[] = [];

/** Returns the thread that hashes; undefined if none can be started or it would not help. */
export function hashThread(): Thread | undefined {
  return pool[0] ?? start();
}

/** Returns the least busy thread, of at most as many as there are cores. */
export function leastBusyThread(): Thread | undefined {
  const [idle] = [...pool].sort((a, b) => a.load - b.load);
  const isBusy = idle === undefined || idle.load > 0;
  return (isBusy && pool.length < availableParallelism() ? start() : undefined) ?? idle;
}

/** A thread holds hashes, and pako's tables if it deflates. */
const HEAP = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 64 };

/**
 * Returns undefined instead of failing: Node's permission model may forbid threads.
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

/** A worker thread. Keeps the process alive only while it works. */
export class Thread {
  readonly #worker: Worker;
  /** The unanswered tasks, in order. */
  readonly #waiting: Waiting[] = [];
  #loss: Error | undefined;
  /** false: it could not be loaded, for example because a bundler left its file out. */
  readonly isReady: Promise<boolean>;

  constructor() {
    // The file beside this one, compiled or not.
    const file = new URL(`worker${import.meta.url.slice(-3)}`, import.meta.url);
    this.#worker = new Worker(file, { resourceLimits: HEAP });
    this.isReady = this.#answer().then(
      () => true,
      () => false,
    );
    this.#worker.on("message", (answer: Answer) => this.#answered(answer));
    this.#worker.on("error", (cause) => this.#lost(new Error("a worker thread has failed", { cause })));
    this.#worker.on("exit", () => this.#lost(new Error("a worker thread has ended")));
  }

  /** The number of tasks that it has not finished. */
  get load(): number {
    return this.#waiting.length;
  }

  /** @throws Error if the thread has ended. */
  async ask(task: Task): Promise<Answer> {
    if (this.#loss) throw this.#loss;
    const answer = this.#answer();
    this.#worker.ref();
    this.#worker.postMessage(task);
    return answer;
  }

  #answer(): Promise<Answer> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #answered(answer: Answer): void {
    this.#waiting.shift()?.resolve(answer);
    if (this.load === 0) this.#worker.unref();
  }

  #lost(loss: Error): void {
    this.#loss ??= loss;
    const at = pool.indexOf(this);
    if (at >= 0) pool.splice(at, 1);
    for (const { reject } of this.#waiting.splice(0)) reject(loss);
  }
}

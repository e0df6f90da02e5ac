import type { Init } from "./api/invocations.ts";
import {
  ExecutionEnvironment,
  type FunctionEvent,
  INIT_TIMEOUT_MS,
  type LocalFunction,
} from "./execution.ts";
import { withTimeLimit } from "./promises.ts";
import type { InvocationReport } from "./report.ts";

/** Runs one version of a function in one process per concurrent event, up to a limit. */
export class FunctionPool {
  readonly #function: LocalFunction;
  readonly #limit: number;
  readonly #idle: ExecutionEnvironment[] = [];
  readonly #all = new Set<ExecutionEnvironment>();
  readonly #waiting: ((environment: ExecutionEnvironment | Promise<ExecutionEnvironment>) => void)[] = [];
  #starting = 0;
  #running = 0;
  #frozen = false;
  #retired = false;

  constructor(local: LocalFunction, limit: number) {
    this.#function = local;
    this.#limit = limit;
  }

  get isEmpty(): boolean {
    return this.#all.size + this.#starting === 0;
  }

  /**
   * Starts the first process and waits for its init phase, up to Lambda's limit.
   * @throws RUNTIME_FAILED
   */
  async start(): Promise<{ readonly init: Init; readonly ranWith: string }> {
    const environment = await this.#start();
    const init = (await withTimeLimit(environment.init, INIT_TIMEOUT_MS)) ?? { kind: "ready" };
    if (init.kind === "ready") this.#idle.push(environment);
    else await this.#discard(environment);
    return { init, ranWith: environment.ranWith };
  }

  /** Sends an event to an idle process, a new one, or the next one that becomes idle. */
  async invoke(event: FunctionEvent): Promise<InvocationReport> {
    this.#running++;
    let environment: ExecutionEnvironment | undefined;
    try {
      environment = await this.#take();
      return await environment.invoke(event);
    } finally {
      this.#running--;
      if (environment) await this.#giveBack(environment);
    }
  }

  /**
   * Stops starting further processes while there is one, because the code on disk is no longer this
   * version.
   */
  freeze(): void {
    this.#frozen = true;
  }

  /** Ends every process after its current event. The pool must get no further event. */
  async retire(): Promise<void> {
    this.#retired = true;
    if (this.#running === 0) await this.stop();
    else await Promise.all(this.#idle.splice(0).map((environment) => this.#discard(environment)));
  }

  async stop(): Promise<void> {
    this.#retired = true;
    await Promise.all([...this.#all].map((environment) => this.#discard(environment)));
  }

  async #take(): Promise<ExecutionEnvironment> {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      if (!idle.over) return idle;
      await this.#discard(idle);
    }
    const count = this.#all.size + this.#starting;
    if (count === 0 || (count < this.#limit && !this.#frozen)) return this.#start();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #giveBack(environment: ExecutionEnvironment): Promise<void> {
    const next = this.#waiting.shift();
    if (environment.over) {
      await this.#discard(environment);
      next?.(this.#start());
    } else if (next) next(environment);
    else if (this.#retired) await this.#discard(environment);
    else this.#idle.push(environment);
  }

  async #start(): Promise<ExecutionEnvironment> {
    this.#starting++;
    try {
      const environment = await ExecutionEnvironment.start(this.#function);
      this.#all.add(environment);
      return environment;
    } finally {
      this.#starting--;
    }
  }

  async #discard(environment: ExecutionEnvironment): Promise<void> {
    this.#all.delete(environment);
    await environment.stop();
  }
}

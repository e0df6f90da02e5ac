import { LambdaPackError } from "../../errors.ts";
import { LogLines } from "../../runtime/log.ts";
import { FunctionPool } from "../../runtime/pool.ts";
import { DirectoryWatch } from "../../runtime/watch.ts";
import { type DirectoryRunnable, directoryFunction } from "../local/function.ts";
import { needsPreparation } from "../local/options.ts";
import type { Prepared } from "../local/prepared.ts";
import type { DevPlan, ServedFunction } from "./options.ts";

const MAX_PROCESSES = 10;

/**
 * The function of a directory, which restarts when its files change. While the code has an error,
 * the last working version continues. A request during a restart waits for the new version.
 */
export class LiveFunction {
  readonly #plan: ServedFunction;
  readonly #debug: DevPlan["debug"];
  /** undefined: the directory runs as it is. */
  readonly #prepared: Prepared | undefined;
  readonly #watch: DirectoryWatch;
  /** The versions with processes, and what removes their files. */
  readonly #pools = new Map<FunctionPool, DirectoryRunnable["remove"]>();
  #name = "";
  #current: FunctionPool | undefined;
  #loading: Promise<void> | undefined;
  #isOutdated = false;
  #stopped = false;

  private constructor(plan: ServedFunction, debug: DevPlan["debug"], prepared: Prepared | undefined) {
    this.#plan = plan;
    this.#prepared = prepared;
    this.#debug = debug;
    this.#watch = new DirectoryWatch(
      () => this.#changed(),
      (directory, cause) => this.#warn(`changes of ${directory} are not seen`, cause),
    );
  }

  static async start(plan: ServedFunction, debug: DevPlan["debug"]): Promise<LiveFunction> {
    const live = new LiveFunction(plan, debug, await preparedOf(plan));
    try {
      await live.#load();
      return live;
    } catch (error) {
      await live.stop();
      throw error;
    }
  }

  get name(): string {
    return this.#name;
  }

  /** Returns the current version; waits while a new one starts. */
  async pool(): Promise<FunctionPool | undefined> {
    while (this.#loading !== undefined) await this.#loading;
    return this.#current;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#watch.close();
    await Promise.all([...this.#pools.keys()].map((pool) => pool.stop()));
    await this.#prepared?.close();
  }

  #changed(): void {
    this.#isOutdated = true;
    this.#loading ??= this.#reload().finally(() => {
      this.#loading = undefined;
    });
  }

  async #reload(): Promise<void> {
    while (this.#isOutdated && !this.#stopped) {
      this.#isOutdated = false;
      await this.#load().catch((error: unknown) => {
        this.#current?.freeze();
        this.#warn("the changed function cannot be started, and the last version continues", error);
      });
    }
  }

  async #load(): Promise<void> {
    const runnable = await (this.#prepared?.load(this.#debug) ??
      directoryFunction(this.#plan.directory, this.#plan, this.#debug));
    this.#name = runnable.facts.name;
    this.#watch.set(runnable.directories());
    // Two versions cannot use the debugger's port at the same time.
    if (runnable.suspendDeadlines) await this.#current?.stop();
    const pool = this.#poolOf(runnable);
    const { init, ranWith } = await pool.start();
    if (this.#stopped) return pool.stop();
    if (init.kind === "error" && this.#current && !runnable.suspendDeadlines) {
      this.#current.freeze();
      await pool.stop();
      this.#forgetEnded();
      throw new LambdaPackError("RUNTIME_FAILED", `${init.errorType}, as its log says`);
    }
    if (init.kind === "ready")
      this.#plan.session.onEvent({ type: "function-started", handler: runnable.facts.handler, ranWith });
    else this.#warn(`the function does not start: ${init.errorType}`, undefined);
    await this.#current?.retire();
    this.#current = pool;
    this.#forgetEnded();
  }

  #forgetEnded(): void {
    for (const [pool, remove] of this.#pools) {
      if (pool === this.#current || !pool.isEmpty) continue;
      this.#pools.delete(pool);
      remove?.();
    }
  }

  #poolOf(runnable: DirectoryRunnable): FunctionPool {
    const { onEvent } = this.#plan.session;
    const lines = new LogLines((line) => onEvent({ type: "function-log", line }));
    const limit = runnable.suspendDeadlines ? 1 : MAX_PROCESSES;
    const pool = new FunctionPool({ ...runnable, onLog: (chunk) => lines.write(chunk) }, limit);
    this.#pools.set(pool, runnable.remove);
    return pool;
  }

  #warn(message: string, cause: unknown): void {
    const { hint } = cause instanceof LambdaPackError ? cause : {};
    const text = cause instanceof Error ? `${message}: ${cause.message}` : message;
    this.#plan.session.onEvent({ type: "warning", message: text, ...(hint !== undefined && { hint }) });
  }
}

async function preparedOf(plan: ServedFunction): Promise<Prepared | undefined> {
  if (!needsPreparation(plan)) return undefined;
  const { openPrepared } = await import("../local/prepared.ts");
  return openPrepared(plan.directory, plan);
}

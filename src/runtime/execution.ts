import { randomBytes } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { parseObject } from "../oci/json.ts";
import type { ShutdownReason } from "./api/extensions.ts";
import { functionError, type OnChunk, type Outcome, timedOut } from "./api/invocation.ts";
import type { Init } from "./api/invocations.ts";
import { FUNCTION_VERSION, type FunctionFacts, functionArn } from "./environment.ts";
import type { Launcher } from "./launcher.ts";
import { Log } from "./log.ts";
import { withTimeLimit } from "./promises.ts";
import {
  endLines,
  type InvocationReport,
  initReportLine,
  peakMemoryMb,
  startLine,
  timeoutLine,
} from "./report.ts";
import { type RuntimeProcess, startRuntime } from "./runtime-process.ts";

/** A function, with the way to run it on this machine. */
export interface LocalFunction {
  readonly facts: FunctionFacts;
  readonly launcher: Launcher;
  readonly timeoutMs: number;
  /** true: no timeout applies, because a debugger may be attached. */
  readonly suspendDeadlines?: boolean | undefined;
  /** The time limit of the init phase. Default: Lambda's 10 seconds. */
  readonly initTimeoutMs?: number | undefined;
  /** Receives the function's log, including Lambda's own lines. */
  readonly onLog: (chunk: Uint8Array | string) => void;
}

/** An event from a caller. */
export interface FunctionEvent {
  readonly requestId: string;
  readonly payload: Uint8Array;
  /** Default: a new trace, not sampled. */
  readonly traceId?: string | undefined;
  /** JSON from the caller's SDK. */
  readonly clientContext?: string | undefined;
  readonly onChunk?: OnChunk | undefined;
}

/** Descriptions of the runtime clients, by the `User-Agent` that they send. */
const CLIENTS: Readonly<Record<string, string>> = {
  "lambda-pack-node": "lambda-pack's own runtime client",
  "lambda-pack-python": "lambda-pack's own runtime client",
  "aws-lambda-ric": "aws-lambda-ric",
  awslambdaric: "awslambdaric",
};

/** Lambda's time limit for a start. */
export const INIT_TIMEOUT_MS = 10_000;
/** A day, which in practice is no limit. */
const NO_DEADLINE_MS = 24 * 60 * 60 * 1000;
const MAX_LOG_TURNS = 20;

/**
 * A process that runs a function, which Lambda calls an execution environment. It handles one event
 * at a time, and none after a timeout or the end of its process.
 */
export class ExecutionEnvironment {
  readonly #function: LocalFunction;
  #runtime: RuntimeProcess;
  readonly #log: Log;
  #invoked = false;
  #over = false;
  #isStopped = false;
  /**
   * Resolves when the runtime asks for its first event, or has failed; undefined if this takes
   * longer than Lambda allows.
   */
  readonly init: Promise<Init | undefined>;
  /** The duration of the init phase; the first event may come much later. */
  readonly #initDurationMs: Promise<number>;

  private constructor(local: LocalFunction, runtime: RuntimeProcess, log: Log) {
    const { suspendDeadlines, initTimeoutMs = INIT_TIMEOUT_MS } = local;
    this.#function = local;
    this.#runtime = runtime;
    this.#log = log;
    this.init = withTimeLimit(runtime.api.init, suspendDeadlines ? NO_DEADLINE_MS : initTimeoutMs);
    const startedAt = performance.now();
    this.#initDurationMs = this.init.then((init) => {
      const durationMs = performance.now() - startedAt;
      runtime.api.telemetry.initEnded("init", durationMs, init);
      return durationMs;
    });
    this.#watch(runtime);
  }

  static async start(local: LocalFunction): Promise<ExecutionEnvironment> {
    const log = new Log(local.onLog);
    const { facts, launcher } = local;
    const runtime = await startRuntime(facts, launcher, (chunk) => log.write(chunk), "init");
    return new ExecutionEnvironment(local, runtime, log);
  }

  get over(): boolean {
    return this.#over;
  }

  /**
   * A description for people: the program, how it is isolated from the machine, and the runtime
   * client.
   */
  get ranWith(): string {
    const client = CLIENTS[this.#runtime.api.client()];
    const { description } = this.#function.launcher;
    return client === undefined ? description : `${description}, ${client}`;
  }

  /**
   * Sends one event to the function, and waits until the runtime and the extensions ask for the
   * next one. An error of the function is the outcome and is not thrown.
   */
  async invoke(event: FunctionEvent): Promise<InvocationReport> {
    const { facts, timeoutMs } = this.#function;
    const isFirst = !this.#invoked;
    this.#invoked = true;
    if (!isFirst) this.#log.forget();
    const initDurationMs = isFirst ? await this.#initialized() : undefined;
    const startedAt = performance.now();
    const { outcome, isLate } = await this.#run(event, isFirst && initDurationMs === undefined);
    const durationMs = performance.now() - startedAt;
    const maxMemoryMb = peakMemoryMb(this.#runtime.pid);
    if (isLate) {
      this.#log.write(timeoutLine(event.requestId, timeoutMs, Date.now()));
      await this.#end("timeout");
    }
    await this.#readLog();
    const report = { requestId: event.requestId, outcome, isLate, durationMs, initDurationMs, maxMemoryMb };
    this.#log.write(endLines(report, facts.memoryMb));
    this.#runtime.api.telemetry.invocationEnded(report, facts.memoryMb);
    return { ...report, logTail: this.#log.tail };
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    return this.#end("spindown");
  }

  #end(reason: ShutdownReason): Promise<void> {
    this.#over = true;
    return this.#runtime.stop(reason);
  }

  #watch(runtime: RuntimeProcess): void {
    void runtime.api.invocations.gone.then(() => {
      if (runtime === this.#runtime) this.#over = true;
      return runtime.stop("failure");
    });
  }

  /** Waits for the init phase. Returns its duration, or undefined if it failed. */
  async #initialized(): Promise<number | undefined> {
    const init = await this.init;
    const durationMs = await this.#initDurationMs;
    if (init?.kind === "ready") return durationMs;
    await this.#runtime.stop(init ? "failure" : "timeout");
    this.#log.write(initReportLine(durationMs, "init", init));
    return undefined;
  }

  /**
   * Starts the runtime again after a failed start. As in Lambda, the second start is part of the
   * invocation and of its time. What it writes is logged only if it does not fail like the first.
   */
  async #initAgain(limitMs: number): Promise<void> {
    if (this.#isStopped) return;
    const startedAt = performance.now();
    const { facts, launcher } = this.#function;
    let held: Buffer[] | undefined = [];
    const log = (chunk: Buffer) => void (held ? held.push(chunk) : this.#log.write(chunk));
    const runtime = await startRuntime(facts, launcher, log, "invoke");
    this.#runtime = runtime;
    if (this.#isStopped) return runtime.stop("spindown");
    this.#over = false;
    this.#watch(runtime);
    const init = await withTimeLimit(runtime.api.init, limitMs);
    if (!isSameError(init, await this.init)) {
      for (const chunk of held) this.#log.write(chunk);
      held = undefined;
    }
    const durationMs = performance.now() - startedAt;
    runtime.api.telemetry.initEnded("invoke", durationMs, init);
    if (init?.kind !== "ready") this.#log.write(initReportLine(durationMs, "invoke", init));
  }

  async #run(
    event: FunctionEvent,
    initAgain: boolean,
  ): Promise<Pick<InvocationReport, "outcome" | "isLate">> {
    const { facts, timeoutMs, suspendDeadlines } = this.#function;
    const limitMs = suspendDeadlines ? NO_DEADLINE_MS : timeoutMs;
    const deadlineMs = Date.now() + limitMs;
    if (initAgain) await this.#initAgain(limitMs);
    this.#log.write(startLine(event.requestId, FUNCTION_VERSION));
    const { api } = this.#runtime;
    const traceId = event.traceId ?? newTraceId(Date.now());
    api.telemetry.invocationStarted(event.requestId, FUNCTION_VERSION, traceId);
    const answer = api.invocations.invoke({
      ...{ ...event, traceId },
      functionArn: functionArn(facts),
      deadlineMs,
    });
    const outcome = await withTimeLimit(answer, deadlineMs - Date.now());
    if (!outcome) return { outcome: timedOut(event.requestId, timeoutMs / 1000), isLate: true };
    const isReady = await withTimeLimit(
      api.ready().then(() => true),
      deadlineMs - Date.now(),
    );
    return { outcome: withRequestId(outcome, event.requestId), isLate: !isReady };
  }

  /**
   * Reads the output that the function wrote before its response and that may still be in a pipe.
   */
  async #readLog(): Promise<void> {
    for (let turns = 0; turns < MAX_LOG_TURNS; turns++) {
      const before = this.#log.chunks;
      await turn();
      await turn();
      if (before === this.#log.chunks) return;
    }
  }
}

function isSameError(one: Init | undefined, other: Init | undefined): boolean {
  return one?.kind === "error" && other?.kind === "error" && one.body.equals(other.body);
}

/** Adds the request to the errors that Lambda itself reports, as Lambda does. */
function withRequestId(outcome: Outcome, requestId: string): Outcome {
  if (outcome.kind !== "error" || !/^(?:Runtime\.ExitError|Extension\.)/.test(outcome.errorType))
    return outcome;
  // A runtime can report an error of this type itself, with any body.
  const { errorMessage } = parseObject(outcome.body.toString()) ?? {};
  if (typeof errorMessage !== "string") return outcome;
  return functionError(outcome.errorType, `RequestId: ${requestId} ${errorMessage}`);
}

function newTraceId(now: number): string {
  const seconds = Math.floor(now / 1000).toString(16);
  return `Root=1-${seconds}-${randomBytes(12).toString("hex")};Parent=${randomBytes(8).toString("hex")};Sampled=0`;
}

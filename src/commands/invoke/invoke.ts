import { randomUUID } from "node:crypto";
import { LambdaPackError } from "../../errors.ts";
import type { OnEvent } from "../../events.ts";
import { ExecutionEnvironment } from "../../runtime/execution.ts";
import { LogLines } from "../../runtime/log.ts";
import type { InvocationReport } from "../../runtime/report.ts";
import { directoryFunction, type Runnable } from "../local/function.ts";
import { needsPreparation } from "../local/options.ts";
import { warnOfNoEffect } from "../options/no-effect.ts";
import { invocationError } from "./invocation-error.ts";
import {
  INVOKE_OPTIONS,
  type InvokeOptions,
  type InvokePlan,
  type InvokeResult,
  parseInvokeOptions,
} from "./options.ts";

/**
 * Runs a function once on this machine, without Docker. An error of the function is in the result
 * and is not thrown. No process is left when the promise resolves.
 * @throws {@link LambdaPackError} if the function cannot be found or started; ABORTED
 */
export async function invoke(options: InvokeOptions): Promise<InvokeResult> {
  const plan = parseInvokeOptions(await withSettings(options));
  const { target } = plan;
  if (plan.run) warnOfNoEffect(INVOKE_OPTIONS, options, plan.run, target.session.onEvent);
  // The code that reads and builds images is imported only if needed: loading it takes longer than
  // running a small function.
  if (target.kind === "directory") {
    if (!needsPreparation(target)) return run(await directoryFunction(target.directory, target), plan);
    const { openPrepared } = await import("../local/prepared.ts");
    const prepared = await openPrepared(target.directory, target);
    try {
      return await run(await prepared.load(), plan);
    } finally {
      await prepared.close();
    }
  }
  const { withImageFunction } = await import("./with-image.ts");
  return withImageFunction(target, (unpacked) => run(unpacked, plan));
}

/** Reads the configuration file, if there is one; otherwise its parser is not loaded. */
async function withSettings(options: InvokeOptions): Promise<InvokeOptions> {
  if (options.config === undefined) return options;
  const { withConfiguration } = await import("./configured.ts");
  return withConfiguration(options);
}

async function run(runnable: Runnable, { target, payload, onChunk }: InvokePlan): Promise<InvokeResult> {
  const { onEvent, signal } = target.session;
  const logs: string[] = [];
  const lines = new LogLines((line) => {
    logs.push(`${line}\n`);
    onEvent({ type: "function-log", line });
  });
  const environment = await ExecutionEnvironment.start({ ...runnable, onLog: (chunk) => lines.write(chunk) });
  const stop = () => void environment.stop();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    if (signal?.aborted) throw stopped(signal);
    await environment.init;
    onEvent({ type: "function-started", handler: runnable.facts.handler, ranWith: environment.ranWith });
    const report = await environment.invoke({ requestId: randomUUID(), payload, onChunk });
    if (signal?.aborted) throw stopped(signal);
    await environment.stop();
    lines.flush();
    warnOfMemory(report, runnable.facts.memoryMb, onEvent);
    return resultOf(report, runnable, logs.join(""), environment.ranWith);
  } finally {
    signal?.removeEventListener("abort", stop);
    await environment.stop();
  }
}

function stopped({ reason }: AbortSignal): LambdaPackError {
  return new LambdaPackError("ABORTED", "stopped before the function answered", { cause: reason });
}

function warnOfMemory({ maxMemoryMb = 0 }: InvocationReport, memoryMb: number, onEvent: OnEvent): void {
  if (maxMemoryMb <= memoryMb) return;
  onEvent({
    type: "warning",
    message: `the function used ${maxMemoryMb} MB; with ${memoryMb} MB Lambda would have stopped it`,
    hint: `give it more, for example --memory ${Math.ceil(maxMemoryMb / 128) * 128}`,
  });
}

function resultOf(
  report: InvocationReport,
  { facts }: Runnable,
  logs: string,
  ranWith: string,
): InvokeResult {
  const { outcome, requestId, durationMs, initDurationMs, maxMemoryMb } = report;
  return {
    outcome: outcome.kind,
    ...(outcome.kind === "result"
      ? { response: outcome.body.toString() }
      : { error: invocationError(outcome) }),
    requestId,
    durationMs: Math.round(durationMs * 100) / 100,
    ...(initDurationMs !== undefined && { initDurationMs: Math.round(initDurationMs * 100) / 100 }),
    ...(maxMemoryMb !== undefined && { maxMemoryMb }),
    memoryMb: facts.memoryMb,
    ranWith,
    handler: facts.handler,
    logs,
  };
}

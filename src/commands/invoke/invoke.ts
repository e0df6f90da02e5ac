import { randomUUID } from "node:crypto";
import { LambdaPackError } from "../../errors.ts";
import type { OnEvent } from "../../events.ts";
import type { Outcome } from "../../runtime/api/invocation.ts";
import { ExecutionEnvironment } from "../../runtime/execution.ts";
import { LogLines } from "../../runtime/log.ts";
import type { InvocationReport } from "../../runtime/report.ts";
import { directoryFunction, type Runnable } from "../local/function.ts";
import { needsPreparation } from "../local/options.ts";
import { readSessionOptions } from "../options/common.ts";
import { warnOfNoEffect } from "../options/no-effect.ts";
import {
  INVOKE_OPTIONS,
  type InvocationError,
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

/**
 * Merges the settings of the function that `source` names in the configuration file, if there is
 * one, with the options of the caller, which win. Otherwise the file's parser is not loaded.
 * @throws CONFIG_INVALID, USAGE
 */
async function withSettings(given: InvokeOptions): Promise<InvokeOptions> {
  const { config, source, ...flags } = given;
  if (config === undefined) return given;
  const { session } = readSessionOptions("invoke", INVOKE_OPTIONS, given);
  const { configuredFunctions } = await import("../local/configured.ts");
  const [found] = configuredFunctions(config, [source], flags, session.environment);
  const { directory = source, file, options = {} } = found ?? {};
  return { ...flags, ...options, ...(file !== undefined && { file }), source: directory };
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

/** Parses the error that a runtime posted; languages differ in the name of the stack trace. */
function invocationError({ errorType, body }: Exclude<Outcome, { kind: "result" }>): InvocationError {
  const value = objectIn(body.toString());
  const message = value["errorMessage"];
  const trace = value["stackTrace"] ?? value["trace"];
  return {
    errorType,
    errorMessage: typeof message === "string" ? message : body.toString(),
    stackTrace: Array.isArray(trace) ? trace.map((line) => String(line).replace(/\n$/, "")) : [],
  };
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {}; // a runtime can send anything
  }
}

import { randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { LambdaPackError } from "../../errors.ts";
import { ExecutionEnvironment } from "../../runtime/execution.ts";
import { LogLines } from "../../runtime/log-lines.ts";
import type { InvocationReport } from "../../runtime/report.ts";
import { sampleEvent } from "../../runtime/samples/samples.ts";
import { Session } from "../../session/session.ts";
import { imageFunction } from "../image-function.ts";
import { directoryFunction, type Runnable } from "../local-function.ts";
import { invocationError } from "./invocation-error.ts";
import type { InvokeOptions, InvokeResult } from "./options.ts";

/** Lambda's limit for the event of a synchronous invocation. */
const EVENT_LIMIT = 6 * 1024 * 1024;

/**
 * Runs a function once on this machine, without Docker. What the function does wrong is in the result and is not thrown.
 * No process of it is left when this resolves.
 * @throws {@link LambdaPackError} where the function cannot be found or started, and ABORTED
 */
export async function invoke(options: InvokeOptions): Promise<InvokeResult> {
  const payload = payloadOf(options);
  const { source } = options;
  if (isDirectory(source)) {
    refuseSandboxOptions(options);
    return run(await directoryFunction(source, options), payload, options);
  }
  refuseDirectoryOptions(options);
  return Session.run(options, async (session) => {
    const unpacked = await imageFunction(source, options, session);
    try {
      return await run(unpacked, payload, options);
    } finally {
      unpacked.close();
    }
  });
}

function refuseSandboxOptions({ source, network, sandbox }: InvokeOptions): void {
  if (network !== true && sandbox === undefined) return;
  const flag = network ? "--network" : "--no-sandbox";
  throw new LambdaPackError(
    "USAGE",
    `${flag} has no effect on ${source}: a directory runs without a sandbox`,
    {
      hint: `leave out ${flag}, or build an image and invoke that`,
    },
  );
}

function refuseDirectoryOptions({ source, base, exclude = [], ignoreFile }: InvokeOptions): void {
  const flag = base ? "--base" : exclude.length > 0 ? "--exclude" : ignoreFile ? "--ignore-file" : undefined;
  if (flag === undefined) return;
  throw new LambdaPackError("USAGE", `${flag} has no effect on ${source}, which is no directory`, {
    hint: `leave out ${flag}`,
  });
}

function isDirectory(source: string): boolean {
  return statSync(source, { throwIfNoEntry: false })?.isDirectory() === true;
}

function payloadOf({ event, sample }: InvokeOptions): Buffer {
  if (event !== undefined && sample !== undefined)
    throw new LambdaPackError("USAGE", "--event and --sample exclude each other");
  const value = sample === undefined ? (event ?? {}) : sampleEvent(sample);
  const payload = Buffer.from(JSON.stringify(value));
  if (payload.length <= EVENT_LIMIT) return payload;
  throw new LambdaPackError(
    "USAGE",
    `the event has ${payload.length} bytes; Lambda takes ${EVENT_LIMIT} at most`,
    { hint: "put the data into Amazon S3 and its key into the event" },
  );
}

async function run(runnable: Runnable, payload: Buffer, options: InvokeOptions): Promise<InvokeResult> {
  const { onEvent, signal, onChunk } = options;
  const logs: string[] = [];
  const lines = new LogLines((line) => {
    logs.push(`${line}\n`);
    onEvent?.({ type: "function-log", line });
  });
  const environment = await ExecutionEnvironment.start({ ...runnable, onLog: (chunk) => lines.write(chunk) });
  const stop = () => void environment.stop();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    if (signal?.aborted) throw stopped(signal);
    await environment.init;
    onEvent?.({ type: "function-started", handler: runnable.facts.handler, ranWith: environment.ranWith });
    const report = await environment.invoke({ requestId: randomUUID(), payload, onChunk });
    if (signal?.aborted) throw stopped(signal);
    await environment.stop();
    lines.flush();
    warnOfMemory(report, options, runnable.facts.memoryMb);
    return resultOf(report, runnable, logs.join(""), environment.ranWith);
  } finally {
    signal?.removeEventListener("abort", stop);
    await environment.stop();
  }
}

function stopped({ reason }: AbortSignal): LambdaPackError {
  return new LambdaPackError("ABORTED", "stopped before the function answered", { cause: reason });
}

/** On this machine nothing stops the function; Lambda would. */
function warnOfMemory(
  { maxMemoryMb = 0 }: InvocationReport,
  { onEvent }: InvokeOptions,
  memoryMb: number,
): void {
  if (maxMemoryMb <= memoryMb) return;
  onEvent?.({
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

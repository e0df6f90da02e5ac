import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { ShutdownReason } from "./api/extensions.ts";
import { functionError } from "./api/invocation.ts";
import { type RuntimeApi, startRuntimeApi } from "./api/server.ts";
import type { InitPhase } from "./api/telemetry.ts";
import { FUNCTION_VERSION, type FunctionFacts, functionVariables } from "./environment.ts";
import type { Launcher } from "./launcher.ts";
import { LogLines } from "./log.ts";
import { MARK, type RunningProgram, startProgram } from "./process.ts";
import { withTimeLimit } from "./promises.ts";

const LAST_OUTPUT_MS = 300;
/** The part of the time for the end that Lambda gives the runtime, before the extensions. */
const RUNTIME_SHARE = 0.3;

/** A runtime's process with its Runtime API. */
export interface RuntimeProcess {
  readonly api: RuntimeApi;
  readonly pid: number;
  /**
   * Ends the process and everything that it started. If there are extensions, sends SIGTERM to the
   * runtime and then SHUTDOWN to them before, as Lambda does. Only the first call counts.
   */
  stop(reason: ShutdownReason): Promise<void>;
}

/**
 * Starts the API and then the runtime, without waiting for its init phase. If the process ends
 * unexpectedly, the current invocation ends with Runtime.ExitError.
 * @throws RUNTIME_FAILED
 */
export async function startRuntime(
  facts: FunctionFacts,
  launcher: Launcher,
  onOutput: (chunk: Buffer) => void,
  phase: InitPhase,
): Promise<RuntimeProcess> {
  const { name: functionName, handler } = facts;
  const { socketDirectory } = launcher;
  const socket = socketDirectory && join(socketDirectory, `${randomBytes(4).toString("hex")}.sock`);
  const { extensions } = launcher;
  const api = await startRuntimeApi({
    functionName,
    functionVersion: FUNCTION_VERSION,
    ...{ handler, socket, extensions },
  });
  const { telemetry } = api;
  telemetry.initStarted(phase, functionName, FUNCTION_VERSION);
  const stdout = new LogLines((line) => telemetry.add("function", line));
  // With extensions in the sandbox, stderr is theirs (sandbox.sh).
  const stderr = new LogLines((line) => telemetry.add(extensions?.length ? "extension" : "function", line));
  const lines = { stdout, stderr };
  try {
    const variables = functionVariables(facts, launcher.runtimeApi ?? api.address, Date.now());
    const mark = variables[MARK] ?? "";
    const launch = launcher.launch({ handler, variables, api: api.address });
    const onExtensionEnd = (name: string, how: string) => api.extensions.ended(name, how);
    const program = await startProgram({
      ...{ ...launch, mark, onExtensionEnd },
      onOutput(chunk, stream) {
        onOutput(chunk);
        lines[stream].write(chunk);
      },
    });
    void program.ended.then((how) =>
      api.invocations.end(functionError("Runtime.ExitError", exitMessage(how))),
    );
    return { api, pid: program.pid, stop: stopOnce(api, program) };
  } catch (error) {
    await api.close();
    throw error;
  }
}

function stopOnce(api: RuntimeApi, program: RunningProgram): RuntimeProcess["stop"] {
  let stopping: Promise<void> | undefined;
  const stop = async (reason: ShutdownReason) => {
    // A runtime that reported a failed start still has to write it to its log.
    if (reason === "failure") await withTimeLimit(program.ended, LAST_OUTPUT_MS);
    if (api.extensions.shutdownMs > 0) await shutDown(api, program, reason);
    await program.stop();
    await api.close();
  };
  return (reason) => {
    stopping ??= stop(reason);
    return stopping;
  };
}

async function shutDown(
  { extensions, telemetry }: RuntimeApi,
  program: RunningProgram,
  reason: ShutdownReason,
): Promise<void> {
  const { shutdownMs } = extensions;
  const deadlineMs = Date.now() + shutdownMs;
  program.signal("TERM");
  const ended = await withTimeLimit(program.ended, shutdownMs * RUNTIME_SHARE);
  if (ended === undefined) program.signal("KILL");
  await withTimeLimit(telemetry.flush(), deadlineMs - Date.now());
  const haveEnded = extensions.shutdown(reason, deadlineMs);
  await withTimeLimit(Promise.race([haveEnded, program.exited]), deadlineMs - Date.now());
}

function exitMessage(how: string): string {
  return how === "exit status 0"
    ? "Error: Runtime exited without providing a reason"
    : `Error: Runtime exited with error: ${how}`;
}

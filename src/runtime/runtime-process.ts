import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { ShutdownReason } from "./api/extensions.ts";
import { functionError } from "./api/invocation.ts";
import { type RuntimeApi, startRuntimeApi } from "./api/server.ts";
import { FUNCTION_VERSION, type FunctionFacts, functionVariables } from "./environment.ts";
import type { Launcher } from "./launcher.ts";
import { MARK, type RunningProgram, startProgram } from "./process.ts";
import { withTimeLimit } from "./time-limit.ts";

/** The time that Lambda gives extensions at the end of an environment. */
const SHUTDOWN_MS = 2000;
const LAST_WORDS_MS = 300;

/** A runtime's process with its Runtime API. */
export interface RuntimeProcess {
  readonly api: RuntimeApi;
  readonly pid: number;
  /** Resolves when the runtime has ended, for any reason. */
  readonly ended: Promise<unknown>;
  /**
   * Sends SHUTDOWN to the extensions, then ends the process and everything that it started. Only
   * the first call counts.
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
  try {
    const variables = functionVariables(facts, launcher.runtimeApi ?? api.address, Date.now());
    const mark = variables[MARK] ?? "";
    const launch = launcher.launch({ handler, variables, api: api.address });
    const onExtensionEnd = (name: string, how: string) => api.extensionEnded(name, how);
    const program = await startProgram({ ...launch, mark, onOutput, onExtensionEnd });
    void program.ended.then((how) => api.end(functionError("Runtime.ExitError", exitMessage(how))));
    return { api, pid: program.pid, ended: api.gone, stop: stopOnce(api, program) };
  } catch (error) {
    await api.close();
    throw error;
  }
}

function stopOnce(api: RuntimeApi, program: RunningProgram): RuntimeProcess["stop"] {
  let stopping: Promise<void> | undefined;
  const stop = async (reason: ShutdownReason) => {
    // A runtime that reported a failed start still has to write it to its log.
    if (reason === "failure") await withTimeLimit(program.ended, LAST_WORDS_MS);
    const told = api.shutdown(reason, Date.now() + SHUTDOWN_MS);
    await withTimeLimit(Promise.race([told, program.exited]), SHUTDOWN_MS);
    await program.stop();
    await api.close();
  };
  return (reason) => {
    stopping ??= stop(reason);
    return stopping;
  };
}

function exitMessage(how: string): string {
  return how === "exit status 0"
    ? "Error: Runtime exited without providing a reason"
    : `Error: Runtime exited with error: ${how}`;
}

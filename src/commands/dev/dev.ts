import { LambdaPackError } from "../../errors.ts";
import { startFunctionServer } from "../../runtime/http/server.ts";
import { deferred } from "../../runtime/promises.ts";
import { warnOfNoEffect } from "../options/no-effect.ts";
import { LiveFunction } from "./live-function.ts";
import { DEV_OPTIONS, type DevOptions, type DevPlan, parseDevOptions } from "./options.ts";

/** A server that runs functions on this machine. */
export interface DevServer {
  /** `http://127.0.0.1:9000` */
  readonly url: string;
  /** The names by which Lambda's Invoke action finds the functions. */
  readonly functionNames: readonly string[];
  /** Resolves when the server and all processes of functions have ended. */
  readonly stopped: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Serves functions on one port of 127.0.0.1, as function URLs and under the path of Lambda's Invoke
 * action: the function of a directory, or those of a configuration file. A function restarts when
 * its files change. The caller's signal stops the server.
 * @throws {@link LambdaPackError} if a function cannot be found or the port is in use
 */
export async function dev(options: DevOptions): Promise<DevServer> {
  const plan = parseDevOptions(options);
  const { signal, onEvent } = plan.session;
  warnOfNoEffect(DEV_OPTIONS, options, plan.run, onEvent);
  if (signal?.aborted)
    throw new LambdaPackError("ABORTED", "stopped before the start", { cause: signal.reason });
  const functions = await startFunctions(plan);
  const stopFunctions = async () => void (await Promise.all(functions.map((one) => one.stop())));
  const server = await startFunctionServer({
    port: plan.port,
    names: functions.map(({ name }) => name),
    poolOf: (name) => functionNamed(functions, name)?.pool(),
    onError: (error) => onEvent({ type: "warning", message: `a request failed: ${String(error)}` }),
  }).catch(async (error: unknown) => {
    await stopFunctions();
    throw error;
  });
  const { stop, stopped } = stopOnce(async () => void (await Promise.all([server.close(), stopFunctions()])));
  signal?.addEventListener("abort", () => void stop(), { once: true });
  if (signal?.aborted) await stop();
  const functionNames = functions.map(({ name }) => name);
  onEvent({ type: "listening", url: server.url, functions: functionNames });
  return { url: server.url, functionNames, stopped, stop };
}

async function startFunctions({ functions, debug }: DevPlan): Promise<readonly LiveFunction[]> {
  const started = await Promise.allSettled(functions.map((one) => LiveFunction.start(one, debug)));
  const live = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failed = started.find((one) => one.status === "rejected");
  if (!failed) return live;
  await Promise.all(live.map((one) => one.stop()));
  throw failed.reason;
}

/**
 * Finds a function. A single function also answers without a name, or to "function" as in AWS's
 * emulator.
 */
function functionNamed(
  functions: readonly LiveFunction[],
  name: string | undefined,
): LiveFunction | undefined {
  const named = functions.find((one) => one.name === name);
  const only = functions.length === 1 ? functions[0] : undefined;
  return named ?? (name === undefined || name === "function" ? only : undefined);
}

function stopOnce(work: () => Promise<void>): Pick<DevServer, "stop" | "stopped"> {
  let stopping: Promise<void> | undefined;
  const { promise: stopped, resolve } = deferred();
  const stop = () => {
    stopping ??= work().then(resolve);
    return stopping;
  };
  return { stop, stopped };
}

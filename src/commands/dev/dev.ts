import { LambdaPackError } from "../../errors.ts";
import { startFunctionServer } from "../../runtime/http/server.ts";
import { LiveFunction } from "./live-function.ts";
import { type DevOptions, parseDevOptions } from "./options.ts";

/** A server that calls a function on this machine. */
export interface DevServer {
  /** `http://127.0.0.1:9000` */
  readonly url: string;
  /** The function's name, as Lambda's Invoke action takes it. */
  readonly functionName: string;
  /** Resolves when the server has stopped and no process of the function is left. */
  readonly stopped: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Serves a directory's function on one port of 127.0.0.1, as a function URL and under the path of Lambda's Invoke action.
 * It is started again when its files change. Stops when the caller's signal aborts.
 * @throws {@link LambdaPackError} where the function cannot be found or the port is taken
 */
export async function dev(options: DevOptions): Promise<DevServer> {
  const plan = parseDevOptions(options);
  const { signal, onEvent } = plan.session;
  if (signal?.aborted)
    throw new LambdaPackError("ABORTED", "stopped before the start", { cause: signal.reason });
  const live = await LiveFunction.start(plan);
  const names = () => [live.name, "function"];
  const server = await startFunctionServer({
    port: plan.port,
    names,
    // As AWS's own emulator, it also answers to the name "function".
    poolOf: async (name) => (name === undefined || names().includes(name) ? live.pool() : undefined),
    onError: (error) => onEvent({ type: "warning", message: `a request failed: ${String(error)}` }),
  }).catch(async (error: unknown) => {
    await live.stop();
    throw error;
  });
  let stopping: Promise<void> | undefined;
  let tellStopped: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => {
    tellStopped = resolve;
  });
  const stop = () => {
    stopping ??= Promise.all([server.close(), live.stop()]).then(tellStopped);
    return stopping;
  };
  signal?.addEventListener("abort", () => void stop(), { once: true });
  if (signal?.aborted) await stop();
  onEvent({ type: "listening", url: server.url, functions: [live.name] });
  return { url: server.url, functionName: live.name, stopped, stop };
}

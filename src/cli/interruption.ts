import { LambdaPackError } from "../errors.ts";
import { STOPPED } from "./exit.ts";
import type { Io } from "./io.ts";

type SignalName = keyof typeof STOPPED;

/** The time that stopped work gets to end, so that the process exits within a second. */
const PATIENCE_MS = 700;

export interface Interruption {
  readonly signal: AbortSignal;
  /** 130 or 143 after a signal, else undefined. */
  readonly status: () => number | undefined;
  readonly close: () => void;
}

/**
 * Aborts the work on the first SIGINT or SIGTERM. A second signal ends the process, and so does
 * work that does not stop in time.
 */
export function watchSignals(
  { signals, exit }: Pick<Io, "signals" | "exit">,
  onStop: (signal: string) => void,
): Interruption {
  const controller = new AbortController();
  let status: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const stop = (name: SignalName) => {
    if (status !== undefined) return exit(STOPPED[name]);
    status = STOPPED[name];
    timer = setTimeout(exit, PATIENCE_MS, status);
    onStop(name);
    controller.abort(new LambdaPackError("ABORTED", `stopped by ${name}`));
  };
  const listeners = (Object.keys(STOPPED) as SignalName[]).map((name) => ({
    name,
    listener: () => stop(name),
  }));
  for (const { name, listener } of listeners) signals.on(name, listener);
  return {
    signal: controller.signal,
    status: () => status,
    close: () => {
      clearTimeout(timer);
      for (const { name, listener } of listeners) signals.off(name, listener);
    },
  };
}

import type { Io } from "../io.ts";
import { printFailure } from "./problem.ts";
import type { Reporter } from "./reporter.ts";

/** Prints errors only. */
export function quietReporter(io: Pick<Io, "stderr" | "environment">, verbose: boolean): Reporter {
  const nothing = () => {};
  return {
    event: nothing,
    stopping: nothing,
    stopped: nothing,
    finish: nothing,
    fail: (failure) => printFailure(failure, io, { verbose }),
    close: nothing,
  };
}

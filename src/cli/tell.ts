import { exitStatus } from "./exit.ts";
import { failureOf } from "./failure.ts";
import type { Io } from "./io.ts";
import { printFailure } from "./report/problem.ts";

/** Tells an error that came before there was a reporter. Returns the exit status. */
export function tell(error: unknown, io: Io, options: { readonly verbose: boolean }): number {
  printFailure(failureOf(error), io, options);
  return exitStatus(error);
}

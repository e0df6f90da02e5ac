import { exitStatus } from "./exit.ts";
import { failureOf } from "./failure.ts";
import type { Io } from "./io.ts";
import { printFailure, printFailureJson } from "./report/problem.ts";

/** Prints an error that occurred before there was a reporter. Returns the exit status. */
export async function reportError(
  error: unknown,
  io: Io,
  { json, verbose }: { readonly json: boolean; readonly verbose: boolean },
): Promise<number> {
  const failure = failureOf(error);
  if (json) printFailureJson(failure, io.stderr, verbose);
  else {
    const wrap = io.stderr.isTTY ? (await import("./text/wrap.ts")).wrap : undefined;
    printFailure(failure, io, { verbose, wrap });
  }
  return exitStatus(error);
}

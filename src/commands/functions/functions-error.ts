import { type ErrorCode, LambdaPackError } from "../../errors.ts";
import { worstOf } from "../deploy/deploy-error.ts";
import type { SessionOptions } from "../options/common.ts";

/** The result of one function, or its error. */
export type FunctionOutcome<R> =
  | { readonly name: string; readonly result: R }
  | { readonly name: string; readonly error: LambdaPackError };

/** Thrown if some functions of a configuration file failed. Has the code of the worst error. */
export class FunctionsError<R> extends LambdaPackError {
  override readonly name = "FunctionsError";
  /** All functions, in the order of the file. */
  readonly functions: readonly FunctionOutcome<R>[];

  constructor(code: ErrorCode, message: string, hint: string, functions: readonly FunctionOutcome<R>[]) {
    super(code, message, { hint });
    this.functions = functions;
  }
}

/**
 * Returns the result of `work`, or its expected error, so that the other functions continue.
 * @throws a bug or an abort
 */
export async function attempt<R>(name: string, work: () => Promise<R>): Promise<FunctionOutcome<R>> {
  try {
    return { name, result: await work() };
  } catch (error) {
    if (!(error instanceof LambdaPackError) || error.code === "ABORTED") throw error;
    return { name, error };
  }
}

/** Returns the options that only a program can pass, for a command that another one calls. */
export function programOptions({ environment, onEvent, signal }: SessionOptions): SessionOptions {
  return { ...(environment && { environment }), ...(onEvent && { onEvent }), ...(signal && { signal }) };
}

/** Returns the results. @throws FunctionsError if a function failed */
export function rejectFailures<R>(
  functions: readonly FunctionOutcome<R>[],
): readonly { readonly name: string; readonly result: R }[] {
  const failed = functions.flatMap((one) => ("error" in one ? [one] : []));
  const worst = worstOf(failed.map(({ error }) => error));
  if (!worst) return functions.flatMap((one) => ("result" in one ? [one] : []));
  const reasons = failed.map(({ name, error }) =>
    [`${name}: ${error.message}`, ...(error.hint === undefined ? [] : [error.hint])].join("\n  "),
  );
  throw new FunctionsError(
    worst.code,
    `${failed.length} of ${functions.length} functions failed`,
    reasons.join("\n"),
    functions,
  );
}

import { createLimiter, mapConcurrent } from "../../async/concurrency.ts";
import { Session } from "../../session/session.ts";
import { checkDirectory } from "../check/check-directory.ts";
import { CHECK_OPTIONS, type CheckOptions } from "../check/options.ts";
import { type CheckResult, parseCheckOptions } from "../check/plan.ts";
import type { Settings } from "../config/parse.ts";
import type { SessionOptions } from "../options/common.ts";
import { attempt, programOptions, rejectFailures } from "./functions-error.ts";
import { type FunctionsOptions, planFunctions } from "./plan.ts";

export interface CheckFunctionsResult {
  /** The functions in the order of the file. */
  readonly functions: readonly { readonly name: string; readonly result: CheckResult }[];
  /** true: no function has an error. */
  readonly ok: boolean;
}

/**
 * Checks the images that a build of several functions would produce, in one session.
 * @throws {@link LambdaPackError}; `FunctionsError` if some could not be checked
 */
export async function checkFunctions(options: FunctionsOptions): Promise<CheckFunctionsResult> {
  const plan = planFunctions(options);
  const outcomes = await Session.run(plan.session, (session) => {
    const inTurn = createLimiter(1);
    return mapConcurrent(
      plan.functions,
      { limit: plan.functions.length, signal: session.signal },
      ({ name, settings, given }) =>
        attempt(name, async () => {
          const checking = parseCheckOptions(checkOptions(settings, options));
          if (checking.target.kind !== "directory") throw new Error("a function has a directory");
          const { build } = checking.target;
          return inTurn(() => checkDirectory({ ...checking, given }, { ...build, given }, session));
        }),
    );
  });
  const functions = rejectFailures(outcomes);
  return { functions, ok: functions.every(({ result }) => result.ok) };
}

/** Picks the settings that a check has; the others decide where the image goes. */
function checkOptions(settings: Settings, options: SessionOptions): CheckOptions {
  const known = Object.entries(settings).filter(
    ([key]) => key !== "directory" && Object.hasOwn(CHECK_OPTIONS, key),
  );
  return {
    ...Object.fromEntries(known),
    source: String(settings["directory"]),
    ...programOptions(options),
  };
}

import { mapConcurrent } from "../../async/concurrency.ts";
import { misuse } from "../../errors.ts";
import { FUNCTION_SETTINGS } from "../config/table.ts";
import { deploy } from "../deploy/deploy.ts";
import type { DeployOptions, DeployResult } from "../deploy/options.ts";
import { type BuildFunctionsOptions, type BuiltFunction, buildFunctions } from "./build-functions.ts";
import { attempt, programOptions, rejectFailures } from "./functions-error.ts";
import { type FunctionPlan, planFunctions } from "./plan.ts";

/** The image of one function, and the deployments of its Lambda function. */
export interface DeployedFunction extends BuiltFunction {
  /** Empty in a dry run. */
  readonly deployments: DeployResult["deployments"];
}

export interface DeployFunctionsResult {
  /** The functions in the order of the file. */
  readonly functions: readonly { readonly name: string; readonly result: DeployedFunction }[];
}

/**
 * Lambda allows 15 control plane calls per second for an account in a region, and a deployment
 * makes several.
 */
const DEPLOYED_AT_ONCE = 4;

/**
 * Builds the images of several functions like {@link buildFunctions}, and updates each Lambda
 * function to its image by digest.
 * @throws {@link LambdaPackError}; `FunctionsError` after all have ended, if some failed
 */
export async function deployFunctions(options: BuildFunctionsOptions): Promise<DeployFunctionsResult> {
  const { filterChanged: _, ...planned } = options;
  const plans = new Map(planFunctions(planned).functions.map((plan) => [plan.name, plan]));
  for (const plan of plans.values()) refuseIncomplete(plan);
  const { functions } = await buildFunctions(options);
  const outcomes = await mapConcurrent(
    functions,
    { limit: DEPLOYED_AT_ONCE, ...(options.signal && { signal: options.signal }) },
    ({ name, result }) =>
      attempt(name, async (): Promise<DeployedFunction> => {
        const plan = plans.get(name);
        if (!plan || plan.build.dryRun) return { ...result, deployments: [] };
        const { deployments } = await deploy({ ...deployOptions(plan, options), source: result.reference });
        return { ...result, deployments };
      }),
  );
  return { functions: rejectFailures(outcomes) };
}

/**
 * @throws USAGE for a function without the name of a Lambda function, or with an image that does
 * not go to a registry
 */
function refuseIncomplete({ name, settings, build }: FunctionPlan): void {
  if (settings["function"] === undefined)
    throw misuse(
      `${name} has no function that deploy could update`,
      `add "function": "${name}", the name of the Lambda function`,
    );
  if (build.destinations[0]?.location.kind !== "registry")
    throw misuse(
      `${name} does not go to a registry, from which Lambda loads images`,
      'add "to" with a repository of Amazon ECR',
    );
}

function deployOptions(
  { settings }: FunctionPlan,
  options: BuildFunctionsOptions,
): Omit<DeployOptions, "source"> {
  const own = Object.entries(settings).filter(([key]) => Object.hasOwn(FUNCTION_SETTINGS, key));
  return {
    function: String(settings["function"]),
    ...Object.fromEntries(own),
    ...programOptions(options),
  };
}

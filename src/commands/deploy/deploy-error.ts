import type { FunctionPlace } from "../../aws/functions/function-name.ts";
import { type ErrorCode, LambdaPackError } from "../../errors.ts";
import type { Deployment } from "../aws-options.ts";

/** Several functions were deployed, and not all of them well. */
export class DeployError extends LambdaPackError {
  override readonly name = "DeployError";
  /** All of them, in the order of the request. */
  readonly deployments: readonly Deployment[];

  constructor(
    code: ErrorCode,
    message: string,
    hint: string | undefined,
    deployments: readonly Deployment[],
  ) {
    super(code, message, { hint });
    this.deployments = deployments;
  }
}

/** What failed for a reason of its own becomes a line of the table; a bug does not. */
export function failedDeployment({ name, region }: FunctionPlace): (error: unknown) => Deployment {
  return (error) => {
    if (!(error instanceof LambdaPackError) || error.code === "ABORTED") throw error;
    return { function: name, region, how: "failed", error };
  };
}

/** @throws the error of a lone function; with several a DeployError with the code of the worst. */
export function throwFailures(deployments: readonly Deployment[]): never {
  const errors = deployments.flatMap((one) => (one.how === "failed" ? [one.error] : []));
  const worst = [...errors].sort((a, b) => severity(b) - severity(a))[0];
  if (!worst) throw new Error("nothing failed");
  if (deployments.length === 1) throw worst;
  const others = errors.length === deployments.length ? "" : "; the others were deployed";
  const message = `${errors.length} of ${deployments.length} functions failed${others}`;
  throw new DeployError(worst.code, message, reasons(deployments), deployments);
}

/**
 * Each reason once, with all that failed for it: a region without a repository fails every function
 * there.
 */
function reasons(deployments: readonly Deployment[]): string {
  const places = new Map<string, string[]>();
  for (const one of deployments) {
    if (one.how !== "failed") continue;
    const { message, hint = "" } = one.error;
    const reason = [message, ...hint.split("\n").filter((line) => line !== "")].join("\n  ");
    places.set(reason, [...(places.get(reason) ?? []), `${one.function} in ${one.region}`]);
  }
  return [...places].map(([reason, names]) => `${names.join(", ")}: ${reason}`).join("\n");
}

const PERMISSION: readonly ErrorCode[] = ["DENIED", "CREDENTIALS_INVALID", "CREDENTIALS_HELPER"];
const PASSING: readonly ErrorCode[] = ["FUNCTION_BUSY", "REGISTRY_ANSWER", "REGISTRY_UNREACHABLE"];

/** Worst is what no second run and no correction of the image helps against. */
function severity({ code }: LambdaPackError): number {
  if (PERMISSION.includes(code)) return 3;
  return PASSING.includes(code) ? 1 : 2;
}

import type { FunctionPlace } from "../../aws/functions/function-name.ts";
import { type ErrorCode, LambdaPackError } from "../../errors.ts";
import type { Deployment } from "./options.ts";

/** Thrown if some of several functions could not be deployed. */
export class DeployError extends LambdaPackError {
  override readonly name = "DeployError";
  /** All deployments, in the order of the request. */
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

/** Returns a handler that turns an expected error into a failed deployment and rethrows a bug. */
export function failedDeployment({ name, region }: FunctionPlace): (error: unknown) => Deployment {
  return (error) => {
    if (!(error instanceof LambdaPackError) || error.code === "ABORTED") throw error;
    return { function: name, region, how: "failed", error };
  };
}

/** Throws the error of a single function; for several, a DeployError with the code of the worst. */
export function throwFailures(deployments: readonly Deployment[]): never {
  const errors = deployments.flatMap((one) => (one.how === "failed" ? [one.error] : []));
  const worst = worstOf(errors);
  if (!worst) throw new Error("nothing failed");
  if (deployments.length === 1) throw worst;
  const others = errors.length === deployments.length ? "" : "; the others were deployed";
  const message = `${errors.length} of ${deployments.length} functions failed${others}`;
  throw new DeployError(worst.code, message, reasons(deployments), deployments);
}

/**
 * Lists each reason once with the functions that failed for it: a region without a repository fails
 * every function in it.
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

/** Returns the worst error: first those that neither a new run nor a new image can fix. */
export function worstOf(errors: readonly LambdaPackError[]): LambdaPackError | undefined {
  return [...errors].sort((a, b) => severity(b) - severity(a))[0];
}

const PERMISSION: readonly ErrorCode[] = ["DENIED", "CREDENTIALS_INVALID", "CREDENTIALS_HELPER"];
const PASSING: readonly ErrorCode[] = ["FUNCTION_BUSY", "REGISTRY_ANSWER", "REGISTRY_UNREACHABLE", "OFFLINE"];

function severity({ code }: LambdaPackError): number {
  if (PERMISSION.includes(code)) return 3;
  return PASSING.includes(code) ? 1 : 2;
}

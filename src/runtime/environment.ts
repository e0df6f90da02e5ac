import { randomBytes } from "node:crypto";

type Variables = Readonly<Record<string, string>>;

/** The facts about a function that Lambda puts into its variables. */
export interface FunctionFacts {
  readonly name: string;
  readonly handler: string;
  readonly memoryMb: number;
  readonly region: string;
  /** `AWS_Lambda_nodejs22.x`; absent if Lambda sets none. */
  readonly executionEnvironment?: string | undefined;
  readonly taskRoot: string;
  /** The variables of `--env` and `--env-file`. */
  readonly variables: Variables;
}

export const FUNCTION_VERSION = "$LATEST";
const ACCOUNT = "123456789012";

export function functionArn({ region, name }: FunctionFacts): string {
  return `arn:aws:lambda:${region}:${ACCOUNT}:function:${name}`;
}

/**
 * Returns the variables of one execution environment (AWS docs, "Defined runtime environment
 * variables"), without the caller's. The user's variables win over the region and similar ones, but
 * not over those that the runtime depends on.
 * @param now milliseconds since 1970
 */
export function functionVariables(facts: FunctionFacts, runtimeApi: string, now: number): Variables {
  const { executionEnvironment } = facts;
  return {
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    AWS_REGION: facts.region,
    AWS_DEFAULT_REGION: facts.region,
    ...(executionEnvironment !== undefined && { AWS_EXECUTION_ENV: executionEnvironment }),
    AWS_XRAY_CONTEXT_MISSING: "LOG_ERROR",
    ...facts.variables,
    _HANDLER: facts.handler,
    LAMBDA_TASK_ROOT: facts.taskRoot,
    AWS_LAMBDA_RUNTIME_API: runtimeApi,
    AWS_LAMBDA_FUNCTION_NAME: facts.name,
    AWS_LAMBDA_FUNCTION_VERSION: FUNCTION_VERSION,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(facts.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${facts.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: logStreamName(now),
  };
}

/**
 * Returns a name that is different for each process, by which the supervisor finds its processes.
 */
function logStreamName(now: number): string {
  const day = new Date(now).toISOString().slice(0, 10).replaceAll("-", "/");
  return `${day}/[${FUNCTION_VERSION}]${randomBytes(16).toString("hex")}`;
}

const RESERVED = /^(?:_HANDLER|LAMBDA_TASK_ROOT|AWS_LAMBDA_.*)$/;

/** Returns whether only Lambda sets this variable, so that a user's value has no effect. */
export function isReservedVariable(name: string): boolean {
  return RESERVED.test(name);
}

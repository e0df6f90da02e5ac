import { randomBytes } from "node:crypto";

type Variables = Readonly<Record<string, string>>;

/** What Lambda knows of a function and tells it in variables. */
export interface FunctionFacts {
  readonly name: string;
  readonly handler: string;
  readonly memoryMb: number;
  readonly region: string;
  /** `AWS_Lambda_nodejs22.x`; absent where Lambda sets none. */
  readonly executionEnvironment?: string | undefined;
  readonly taskRoot: string;
  /** As `--env` and `--env-file` say it. */
  readonly variables: Variables;
}

export const FUNCTION_VERSION = "$LATEST";
const ACCOUNT = "123456789012";

export function functionArn({ region, name }: FunctionFacts): string {
  return `arn:aws:lambda:${region}:${ACCOUNT}:function:${name}`;
}

/**
 * The variables of one execution environment (AWS docs, "Defined runtime environment variables"),
 * and none of the caller's. The user's own win over the region and the like, Lambda's over the
 * user's where the runtime depends on it.
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

/** Different for each process: the supervisor finds a function's processes by it. */
function logStreamName(now: number): string {
  const day = new Date(now).toISOString().slice(0, 10).replaceAll("-", "/");
  return `${day}/[${FUNCTION_VERSION}]${randomBytes(16).toString("hex")}`;
}

const RESERVED = /^(?:_HANDLER|LAMBDA_TASK_ROOT|AWS_LAMBDA_.*)$/;

/** Whether only Lambda sets this variable: what a user gives it has no effect. */
export function isReservedVariable(name: string): boolean {
  return RESERVED.test(name);
}

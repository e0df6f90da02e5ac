import { AwsApi } from "../aws/api.ts";
import { LambdaPackError } from "../errors.ts";
import type { Pacing } from "../registry/pacing.ts";
import type { AwsOptions } from "./aws-options.ts";

/**
 * Does `work` with AWS's APIs for the length of one command.
 * @throws ABORTED when the caller's signal ended it.
 */
export async function withAws<T>(
  { environment = process.env, onEvent, signal }: AwsOptions,
  pacing: Pacing | undefined,
  work: (api: AwsApi) => Promise<T>,
): Promise<T> {
  try {
    return await AwsApi.run({ environment, onEvent, signal, pacing }, work);
  } catch (error) {
    throw signal?.aborted
      ? new LambdaPackError("ABORTED", "stopped before the end", { cause: error })
      : error;
  }
}

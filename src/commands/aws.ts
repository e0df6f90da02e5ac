import { type Pacing, REAL_PACING } from "../async/retry.ts";
import { AwsApi } from "../aws/api.ts";
import { LambdaPackError } from "../errors.ts";
import type { AwsOptions } from "./aws-options.ts";

/**
 * Runs `work` with the AWS APIs for the duration of one command. `pacing` is real time except in
 * tests.
 * @throws ABORTED if the caller's signal ended it
 */
export async function withAws<T>(
  { environment = process.env, onEvent, signal }: AwsOptions,
  work: (api: AwsApi) => Promise<T>,
  pacing: Pacing = REAL_PACING,
): Promise<T> {
  try {
    return await AwsApi.run({ environment, onEvent, signal, pacing }, work);
  } catch (error) {
    throw signal?.aborted
      ? new LambdaPackError("ABORTED", "stopped before the end", { cause: error })
      : error;
  }
}

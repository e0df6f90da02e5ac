import { type Pacing, REAL_PACING } from "../async/retry.ts";
import { AwsApi } from "../aws/api.ts";
import { LambdaPackError } from "../errors.ts";
import { SESSION_OPTIONS } from "./options/common.ts";
import { type OptionsOf, optional, required } from "./options/read.ts";
import { text } from "./options/types.ts";

const { environment, onEvent, signal } = SESSION_OPTIONS;

export const AWS_OPTIONS = {
  region: optional(text, "region, if no URI or ARN names it", {
    placeholder: "REGION",
    defaultText: "AWS_REGION, AWS_DEFAULT_REGION or the profile's",
    group: "AWS",
  }),
  ...{ environment, onEvent, signal },
};

/** The options of every command that calls AWS's own APIs. */
export type AwsOptions = OptionsOf<typeof AWS_OPTIONS>;

export const REPOSITORY_OPTION = required(text, "a name such as team/app, or the whole URI");

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

import { type CommonOptions, SESSION_OPTIONS } from "./options/common.ts";
import { type OptionTable, optional, required } from "./options/read.ts";
import { text } from "./options/types.ts";

/** The options of every command that calls AWS's own APIs. */
export type AwsOptions = Pick<CommonOptions, "environment" | "onEvent" | "signal"> & {
  /**
   * The AWS region. Default: the one in the repository's URI or the function's ARN, else
   * AWS_REGION, AWS_DEFAULT_REGION, or the profile's.
   */
  readonly region?: string;
};

const { environment, onEvent, signal } = SESSION_OPTIONS;

export const AWS_OPTIONS = {
  region: optional<string>(text, "region, if no URI or ARN names it", {
    placeholder: "REGION",
    defaultText: "AWS_REGION, AWS_DEFAULT_REGION or the profile's",
    group: "AWS",
  }),
  ...{ environment, onEvent, signal },
} satisfies OptionTable & Record<keyof AwsOptions, unknown>;

export const REPOSITORY_OPTION = required<string>(text, "a name such as team/app, or the whole URI");

import type { LifecycleHow } from "../aws/ecr/lifecycle.ts";
import type { StatementChange } from "../aws/policy/policy.ts";
import { AWS_OPTIONS, REPOSITORY_OPTION } from "./aws.ts";
import { inGroup, type OptionsOf, off, optional, required, texts, withDefault } from "./options/read.ts";
import { labels } from "./options/records.ts";
import { choice, text, textOrList, toggle, wholeNumber } from "./options/types.ts";

export interface CreateRepositoryResult {
  /** `123456789012.dkr.ecr.eu-west-1.amazonaws.com/app`. */
  readonly repository: string;
  readonly arn: string;
  /** false: the repository existed, and keeps its settings. */
  readonly created: boolean;
  /** `kept`: the repository has another lifecycle policy, which was not changed. */
  readonly lifecycle?: LifecycleHow;
}

export interface RepositoryPolicyResult {
  readonly repository: string;
  /** The whole policy after the change, or as it would be; undefined: none. */
  readonly policy?: object;
  readonly changes: readonly StatementChange[];
  readonly applied: boolean;
}

export const CREATE_REPOSITORY_OPTIONS = {
  repository: REPOSITORY_OPTION,
  ...inGroup("repo create", {
    mutableTags: off("allow tags to move; without it a tag always names the same image"),
    movableTag: texts("let tags move that match this pattern (* stands for any characters), and no others", {
      placeholder: "PATTERN",
    }),
    resourceTag: withDefault(
      labels,
      {},
      "tag a repository that is created, for AWS's cost reports and policies",
      { placeholder: "K=V" },
    ),
    scan: withDefault(toggle, true, "do not scan images when they are pushed"),
    encryption: optional(
      text,
      "encryption of the images, which cannot be changed later: KMS is AWS's key, an ARN yours",
      { placeholder: "AES256|KMS|ARN", defaultText: "AES256" },
    ),
    expireUntagged: optional(
      wholeNumber(1, 36_500),
      "delete untagged images after this many days; deployed images never expire",
      { placeholder: "DAYS" },
    ),
  }),
  ...AWS_OPTIONS,
};

export type CreateRepositoryOptions = OptionsOf<typeof CREATE_REPOSITORY_OPTIONS>;

export const REPOSITORY_POLICY_OPTIONS = {
  repository: REPOSITORY_OPTION,
  ...inGroup("repo policy", {
    account: texts("another account whose functions may load the images", { placeholder: "ID" }),
    apply: off("write the policy; without it the policy is only printed"),
    remove: off("remove what lambda-pack added; with --account only what it added for that account"),
  }),
  ...AWS_OPTIONS,
};

export type RepositoryPolicyOptions = OptionsOf<typeof REPOSITORY_POLICY_OPTIONS>;

export const IAM_POLICY_OPTIONS = {
  repository: REPOSITORY_OPTION,
  ...inGroup("repo iam", {
    for: required(
      choice<"push" | "deploy" | "create">(["push", "deploy", "create"]),
      "the task that the policy allows",
      {
        placeholder: "push|deploy|create",
      },
    ),
    function: optional(textOrList, "a function that is deployed", {
      placeholder: "NAME",
      defaultText: "all",
    }),
    role: optional(text, "execution role that is passed to the function", {
      placeholder: "ARN",
      defaultText: "any",
    }),
  }),
  ...AWS_OPTIONS,
};

export type IamPolicyOptions = OptionsOf<typeof IAM_POLICY_OPTIONS>;

import { SESSION_OPTIONS } from "./options/common.ts";
import { inGroup, type OptionsOf, off, optional, required, texts, withDefault } from "./options/read.ts";
import { labels } from "./options/records.ts";
import { choice, text, textOrList, toggle, wholeNumber } from "./options/types.ts";

// Apart from the commands, so that their help loads nothing that calls AWS.

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

const REPOSITORY_OPTION = required(text, "a name such as team/app, or the whole URI");

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

export const PRUNE_OPTIONS = {
  repository: REPOSITORY_OPTION,
  keep: withDefault(wholeNumber(0, 100_000), 10, "keep the N newest unused images", {
    placeholder: "N",
    defaultText: "10",
  }),
  yes: off("delete the images; without it they are only listed", { short: "y" }),
  ignoreAccount: texts(
    "an account in the repository's policy whose functions do not use what would be deleted",
    { placeholder: "ID", details: "`*` stands for accounts that the policy allows without naming them" },
  ),
  ...AWS_OPTIONS,
};

export type PruneOptions = OptionsOf<typeof PRUNE_OPTIONS>;

export const STATUS_OPTIONS = {
  function: required(text, "a name or an ARN"),
  wait: off("wait until no change is in progress"),
  ...AWS_OPTIONS,
};

export type StatusOptions = OptionsOf<typeof STATUS_OPTIONS>;

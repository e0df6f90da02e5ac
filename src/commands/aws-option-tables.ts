import type {
  AwsOptions,
  CreateRepositoryOptions,
  IamPolicyOptions,
  RepositoryPolicyOptions,
  StatusOptions,
} from "./aws-options.ts";
import { SESSION_OPTIONS } from "./options/common.ts";
import { inGroup, type OptionTable, off, optional, required, withDefault } from "./options/read.ts";
import { labels } from "./options/records.ts";
import { choice, text, textOrList, toggle, wholeNumber } from "./options/types.ts";
import type { PruneOptions } from "./prune-options.ts";

const { environment, onEvent, signal } = SESSION_OPTIONS;

const AWS_OPTIONS = {
  region: optional<string>(text, "region, if no URI or ARN names it", {
    placeholder: "REGION",
    defaultText: "AWS_REGION, AWS_DEFAULT_REGION or the profile's",
    group: "AWS",
  }),
  ...{ environment, onEvent, signal },
} satisfies OptionTable & Record<keyof AwsOptions, unknown>;

const REPOSITORY = required<string>(text, "a name such as team/app, or the whole URI");

export const CREATE_REPOSITORY_OPTIONS = {
  repository: REPOSITORY,
  ...inGroup("repo create", {
    mutableTags: off("allow tags to move; without it a tag always names the same image"),
    movableTag: withDefault<readonly string[]>(
      textOrList,
      [],
      "let tags move that match this pattern (* stands for any characters), and no others",
      { placeholder: "PATTERN" },
    ),
    resourceTag: withDefault<Readonly<Record<string, string>>>(
      labels,
      {},
      "tag a repository that is created, for AWS's cost reports and policies",
      { placeholder: "K=V" },
    ),
    scan: withDefault(toggle, true, "do not scan images when they are pushed"),
    encryption: optional<string>(text, "encryption of the images, for good: KMS is AWS's key, an ARN yours", {
      placeholder: "AES256|KMS|ARN",
      defaultText: "AES256",
    }),
    expireUntagged: optional<number>(
      wholeNumber(1, 36_500),
      "delete untagged images after this many days; deployed images never expire",
      { placeholder: "DAYS" },
    ),
  }),
  ...AWS_OPTIONS,
} satisfies OptionTable & Record<keyof CreateRepositoryOptions, unknown>;

export const REPOSITORY_POLICY_OPTIONS = {
  repository: REPOSITORY,
  ...inGroup("repo policy", {
    account: withDefault<readonly string[]>(
      textOrList,
      [],
      "another account whose functions may load the images",
      { placeholder: "ID" },
    ),
    apply: off("write the policy; without it the policy is only printed"),
    remove: off("remove what lambda-pack added; with --account only theirs"),
  }),
  ...AWS_OPTIONS,
} satisfies OptionTable & Record<keyof RepositoryPolicyOptions, unknown>;

export const IAM_POLICY_OPTIONS = {
  repository: REPOSITORY,
  ...inGroup("repo iam", {
    for: required<IamPolicyOptions["for"]>(
      choice<IamPolicyOptions["for"]>(["push", "deploy", "create"]),
      "the task that the policy allows",
      { placeholder: "push|deploy|create" },
    ),
    function: optional<readonly string[]>(textOrList, "a function that is deployed", {
      placeholder: "NAME",
      defaultText: "all",
    }),
    role: optional<string>(text, "execution role that is passed to the function", {
      placeholder: "ARN",
      defaultText: "any",
    }),
  }),
  ...AWS_OPTIONS,
} satisfies OptionTable & Record<keyof IamPolicyOptions, unknown>;

export const STATUS_OPTIONS = {
  function: required<string>(text, "a name or an ARN"),
  wait: off("wait until no change is in progress"),
  ...AWS_OPTIONS,
} satisfies OptionTable & Record<keyof StatusOptions, unknown>;

export const PRUNE_OPTIONS = {
  repository: REPOSITORY,
  keep: withDefault(wholeNumber(0, 100_000), 10, "keep the N newest unused images", {
    placeholder: "N",
    defaultText: "10",
  }),
  yes: off("delete the images; without it they are only listed", { short: "y" }),
  ignoreAccount: withDefault<readonly string[]>(
    textOrList,
    [],
    "an account in the repository's policy whose functions do not use what would be deleted",
    { placeholder: "ID" },
  ),
  ...AWS_OPTIONS,
} satisfies OptionTable & Record<keyof PruneOptions, unknown>;

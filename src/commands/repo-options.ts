import type { LifecycleHow } from "../aws/ecr/lifecycle.ts";
import type { StatementChange } from "../aws/policy/policy.ts";
import { AWS_OPTIONS, type AwsOptions, REPOSITORY_OPTION } from "./aws-options.ts";
import type { CommonOptions } from "./options/common.ts";
import { inGroup, type OptionTable, off, optional, required, withDefault } from "./options/read.ts";
import { labels } from "./options/records.ts";
import { choice, text, textOrList, toggle, wholeNumber } from "./options/types.ts";

export interface CreateRepositoryOptions extends AwsOptions {
  /** `team/app`, or the whole URI. */
  readonly repository: string;
  /** true: tags can move. Default false: once pushed, a tag always names the same image. */
  readonly mutableTags?: boolean;
  /** Patterns of tags that can move although all others cannot, such as `dev-*`. */
  readonly movableTag?: string | readonly string[];
  /** AWS resource tags for a repository that is created; an existing one keeps its tags. */
  readonly resourceTag?: Readonly<Record<string, string>>;
  /** Whether images are scanned when they are pushed. Default true. */
  readonly scan?: boolean;
  /** `AES256` (the default), `KMS` for AWS's own key, or the ARN of a key. */
  readonly encryption?: string;
  /**
   * Untagged images expire after this many days, except those that were deployed to a function.
   * Default: no lifecycle policy is set.
   */
  readonly expireUntagged?: number;
}

export interface CreateRepositoryResult {
  /** `123456789012.dkr.ecr.eu-west-1.amazonaws.com/app`. */
  readonly repository: string;
  readonly arn: string;
  /** false: the repository existed, and keeps its settings. */
  readonly created: boolean;
  /** `kept`: the repository has another lifecycle policy, which was not changed. */
  readonly lifecycle?: LifecycleHow;
}

export interface RepositoryPolicyOptions extends AwsOptions {
  readonly repository: string;
  /** Other accounts whose functions may load images. */
  readonly account?: string | readonly string[];
  /** true: the policy is written. Default false: it is only returned. */
  readonly apply?: boolean;
  /**
   * true: removes what lambda-pack added (with `account`: only for those accounts). Default false.
   */
  readonly remove?: boolean;
}

export interface RepositoryPolicyResult {
  readonly repository: string;
  /** The whole policy after the change, or as it would be; undefined: none. */
  readonly policy?: object;
  readonly changes: readonly StatementChange[];
  readonly applied: boolean;
}

export interface IamPolicyOptions {
  readonly repository: string;
  readonly for: "push" | "deploy" | "create";
  readonly region?: string;
  /** Names of functions; default all. */
  readonly function?: string | readonly string[];
  /** ARN of the execution role; default any. */
  readonly role?: string;
  readonly environment?: CommonOptions["environment"];
}

export const CREATE_REPOSITORY_OPTIONS = {
  repository: REPOSITORY_OPTION,
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
    encryption: optional<string>(
      text,
      "encryption of the images, which cannot be changed later: KMS is AWS's key, an ARN yours",
      {
        placeholder: "AES256|KMS|ARN",
        defaultText: "AES256",
      },
    ),
    expireUntagged: optional<number>(
      wholeNumber(1, 36_500),
      "delete untagged images after this many days; deployed images never expire",
      { placeholder: "DAYS" },
    ),
  }),
  ...AWS_OPTIONS,
} satisfies OptionTable & Record<keyof CreateRepositoryOptions, unknown>;

export const REPOSITORY_POLICY_OPTIONS = {
  repository: REPOSITORY_OPTION,
  ...inGroup("repo policy", {
    account: withDefault<readonly string[]>(
      textOrList,
      [],
      "another account whose functions may load the images",
      { placeholder: "ID" },
    ),
    apply: off("write the policy; without it the policy is only printed"),
    remove: off("remove what lambda-pack added; with --account only what it added for that account"),
  }),
  ...AWS_OPTIONS,
} satisfies OptionTable & Record<keyof RepositoryPolicyOptions, unknown>;

export const IAM_POLICY_OPTIONS = {
  repository: REPOSITORY_OPTION,
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

import type { Statement } from "../aws/policy/policy-document.ts";
import type { LambdaPackError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { Architecture } from "../oci/platform.ts";
import type { BuildOptions } from "./build/options.ts";
import type { CommonOptions } from "./options/common.ts";

/** What every call to AWS's own APIs takes. */
export type AwsOptions = Pick<CommonOptions, "environment" | "onEvent" | "signal"> & {
  /**
   * Default: that of the repository's URI or the function's ARN, else AWS_REGION,
   * AWS_DEFAULT_REGION, the profile's.
   */
  readonly region?: string;
};

export interface CreateRepositoryOptions extends AwsOptions {
  /** `team/app`, or the whole URI. */
  readonly repository: string;
  /** true: tags can move. Default false: a tag, once pushed, names the same image for ever. */
  readonly mutableTags?: boolean;
  /** Patterns of tags that can move although all others cannot, such as `dev-*`. */
  readonly movableTag?: string | readonly string[];
  /** AWS's own tags of a repository that is created; one that exists keeps its tags. */
  readonly resourceTag?: Readonly<Record<string, string>>;
  /** Default true. */
  readonly scan?: boolean;
  /** `AES256` (the default), `KMS` for AWS's own key, or the ARN of a key. */
  readonly encryption?: string;
  /**
   * Images without a tag expire after so many days; those that deploy gave to a function never do.
   * Default: no lifecycle policy is set.
   */
  readonly expireUntagged?: number;
}

export interface CreateRepositoryResult {
  /** `123456789012.dkr.ecr.eu-west-1.amazonaws.com/app`. */
  readonly repository: string;
  readonly arn: string;
  /** false: it was there, and keeps its settings. */
  readonly created: boolean;
  /** `kept`: there was another lifecycle policy, and it stays. */
  readonly lifecycle?: "added" | "present" | "kept";
}

export interface RepositoryPolicyOptions extends AwsOptions {
  readonly repository: string;
  /** Other accounts whose functions may load images. */
  readonly account?: string | readonly string[];
  /** true: the policy is written. Default false: it is only told. */
  readonly apply?: boolean;
  /** true: what lambda-pack adds is taken away (with `account`: only theirs). Default false. */
  readonly remove?: boolean;
}

export interface RepositoryPolicyResult {
  readonly repository: string;
  /** The whole policy, as it is now or would be; undefined: none. */
  readonly policy?: object;
  readonly changes: readonly { readonly change: "added" | "removed"; readonly statement: Statement }[];
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

/** What can be set for a function; what is not given stays as it is. */
export interface FunctionOptions {
  /** ARN of the execution role. Needed to create a function. */
  readonly role?: string;
  /** MB. */
  readonly memory?: number;
  /** Seconds. */
  readonly timeout?: number;
  /** MB of /tmp. */
  readonly ephemeralStorage?: number;
  /** Of the function, added to what it has; not of the image. */
  readonly env?: Readonly<Record<string, string>>;
  /** AWS's own tags, added to those of the function. */
  readonly resourceTag?: Readonly<Record<string, string>>;
  /** In place of the image's ENTRYPOINT; `["default"]` removes what overrides it. */
  readonly entrypoint?: readonly string[];
  /** In place of the image's CMD; `["default"]` removes what overrides it. */
  readonly cmd?: readonly string[];
  /** In place of the image's WORKDIR; `default` removes what overrides it. */
  readonly workdir?: string;
}

type FolderOptions = Pick<
  BuildOptions,
  | ("handler" | "target" | "layer" | "exclude" | "ignoreFile" | "allowSecret" | "label" | "format" | "level")
  | "omitDev"
  | "bundle"
  | "ownFiles"
  | ("copyFrom" | "add" | "lambdaLayer" | "extension" | "runtimeClient")
  | (
      | "install"
      | "reuseFrom"
      | "check"
      | "allow"
      | "deep"
      | "snapstart"
      | "lockFile"
      | "lock"
      | "updateBase"
      | "locked"
    )
>;

export interface DeployOptions extends CommonOptions, FunctionOptions, FolderOptions {
  /**
   * A directory, which is built first, or an image: a reference, `oci:DIR[:tag]`,
   * `oci-archive:FILE`, `docker-archive:FILE`.
   */
  readonly source: string;
  /** For a directory: as {@link BuildOptions.base}. */
  readonly base?: string;
  /** Default: the function's own, else the base's or the image's only one, else x86_64. */
  readonly arch?: Architecture;
  /** Names or ARNs. */
  readonly function: string | readonly string[];
  /**
   * Default: the repository's, else AWS_REGION, AWS_DEFAULT_REGION, the profile's. With several the
   * image goes to the repository of each.
   */
  readonly region?: string | readonly string[];
  /**
   * Where the image goes: a name or URI. Default: where it is already, else the function's own
   * repository, else one of the function's name.
   */
  readonly repo?: string;
  /** true: a repository that is missing is created. Default false. */
  readonly createRepo?: boolean;
  /** true: a version is published. Default false; with `alias` true. */
  readonly publish?: boolean;
  readonly alias?: string;
  /**
   * 0 to 1: the part of the alias's calls that the new version gets; the rest stays where it is.
   * Default: all.
   */
  readonly weight?: number;
  /** true: the new version is called once, with `{}`, before the alias moves. Default false. */
  readonly warm?: boolean;
  /**
   * true: a function whose creation failed, and which therefore takes no new code, is deleted and
   * created again with its settings, though versions, triggers or permissions hang on it. Default
   * false: only where nothing does.
   */
  readonly recreate?: boolean;
  /** true: nothing is changed, and what would be is told. Default false. */
  readonly dryRun?: boolean;
}

interface DeploymentPlace {
  readonly function: string;
  readonly region: string;
}

/** What came of one function in one region. */
export type Deployment =
  | (DeploymentPlace & {
      readonly how: "created" | "updated" | "unchanged" | "planned";
      /** Of the version where one is published, else of the function. */
      readonly arn: string;
      readonly version: string;
      readonly digest: Digest;
      /** `Active`, or as Lambda says. */
      readonly state: string;
      /** What was changed, or would be. */
      readonly steps: readonly string[];
    })
  | (DeploymentPlace & { readonly how: "failed"; readonly error: LambdaPackError });

export interface DeployResult {
  readonly digest: Digest;
  /** `linux/amd64`. */
  readonly platform: string;
  /** In each region, by digest. */
  readonly images: readonly string[];
  readonly deployments: readonly Deployment[];
}

export interface StatusOptions extends AwsOptions {
  /** Name or ARN. */
  readonly function: string;
  /** true: waits until nothing is under way any more. Default false. */
  readonly wait?: boolean;
}

export interface VersionStatus {
  readonly version: string;
  readonly digest?: Digest;
  readonly state: string;
}

export interface AliasStatus {
  readonly name: string;
  readonly version: string;
  readonly digest?: Digest;
  /** Other versions and their part of the calls, 0 to 1. */
  readonly weights: Readonly<Record<string, number>>;
}

export interface ImageStatus {
  /** By digest. */
  readonly reference: string;
  readonly digest: Digest;
  /** undefined: ECR did not tell. */
  readonly exists?: boolean;
  readonly tags: readonly string[];
  /** Bytes, compressed. */
  readonly size?: number;
  /** Whether the repository's policy lets Lambda pull; undefined: it may not be read. */
  readonly pullable?: boolean;
}

export interface StatusResult {
  readonly function: string;
  readonly region: string;
  readonly arn: string;
  readonly state: string;
  /** false: it does not serve, or the last update failed. */
  readonly healthy: boolean;
  /** What the state means and the way back. */
  readonly explanation?: string;
  readonly packageType: string;
  readonly architecture: Architecture;
  /** MB. */
  readonly memory: number;
  /** Seconds. */
  readonly timeout: number;
  readonly image?: ImageStatus;
  /** The newest first. */
  readonly versions: readonly VersionStatus[];
  readonly aliases: readonly AliasStatus[];
}

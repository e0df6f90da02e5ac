import type { Deployed } from "../../aws/functions/deploy-function.ts";
import type { LambdaPackError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Architecture } from "../../oci/platform.ts";
import type { BuildOptions } from "../build/options.ts";
import type { CommonOptions } from "../options/common.ts";

/** The settings of a function; those that are not given stay as they are. */
export interface FunctionOptions {
  /** ARN of the execution role. Needed to create a function. */
  readonly role?: string;
  /** Memory in MB. */
  readonly memory?: number;
  /** Timeout in seconds. */
  readonly timeout?: number;
  /** Size of /tmp in MB. */
  readonly ephemeralStorage?: number;
  /** Environment variables of the function (not the image), added to the existing ones. */
  readonly env?: Readonly<Record<string, string>>;
  /** AWS resource tags, added to those of the function. */
  readonly resourceTag?: Readonly<Record<string, string>>;
  /** Overrides the image's ENTRYPOINT; `["default"]` removes the override. */
  readonly entrypoint?: readonly string[];
  /** Overrides the image's CMD; `["default"]` removes the override. */
  readonly cmd?: readonly string[];
  /** Overrides the image's WORKDIR; `default` removes the override. */
  readonly workdir?: string;
}

/** The options of a build that deploy has as its own, or lacks. */
type OtherOptions = "directory" | "to" | "file" | "stage" | "buildArg" | "envFile" | "webAdapter";

export interface DeployOptions
  extends FunctionOptions,
    Omit<BuildOptions, OtherOptions | keyof FunctionOptions> {
  /**
   * A directory, which is built first, or an image: a reference, `oci:DIR[:tag]`,
   * `oci-archive:FILE`, `docker-archive:FILE`.
   */
  readonly source: string;
  /** For a directory: options of its build that deploy lacks, or that set the function here. */
  readonly build?: Partial<Omit<BuildOptions, "directory" | "to" | "tag" | keyof CommonOptions>>;
  /** Default: the function's, else the only one of the base or image, else x86_64. */
  readonly arch?: Architecture;
  /** Names or ARNs. */
  readonly function: string | readonly string[];
  /**
   * Default: the repository's, else AWS_REGION, AWS_DEFAULT_REGION, or the profile's. With several,
   * the image is pushed to the repository in each region.
   */
  readonly region?: string | readonly string[];
  /**
   * The repository to push to, a name or URI. Default: the one that has the image, else the
   * function's, else one with the function's name.
   */
  readonly repo?: string;
  /** true: a missing repository is created. Default false. */
  readonly createRepo?: boolean;
  /** true: a version is published. Default: whether `alias` is given. */
  readonly publish?: boolean;
  readonly alias?: string;
  /**
   * The share of the alias's invocations that the new version gets, from 0 to 1; the rest stays
   * with the old version. Default: all.
   */
  readonly weight?: number;
  /** true: the new version is invoked once, with `{}`, before the alias moves. Default false. */
  readonly warm?: boolean;
  /**
   * true: a function whose creation failed, and which therefore cannot be updated, is deleted and
   * created again with its settings, even if it has versions, triggers or permissions. Default
   * false: only if it has none of them.
   */
  readonly recreate?: boolean;
  /** true: changes nothing, and reports what would change. Default false. */
  readonly dryRun?: boolean;
}

/** The result for one function in one region. */
export type Deployment =
  | Deployed
  | (Pick<Deployed, "function" | "region"> & { readonly how: "failed"; readonly error: LambdaPackError });

export interface DeployResult {
  readonly digest: Digest;
  /** `linux/amd64`. */
  readonly platform: string;
  /** The image in each region, by digest. */
  readonly images: readonly string[];
  readonly deployments: readonly Deployment[];
}

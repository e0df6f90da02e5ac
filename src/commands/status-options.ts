import type { ImageStatus } from "../aws/functions/image-use.ts";
import type { AliasFacts } from "../aws/functions/versions.ts";
import type { Digest } from "../oci/digest.ts";
import type { Architecture } from "../oci/platform.ts";
import { AWS_OPTIONS } from "./aws.ts";
import { type OptionsOf, off, required } from "./options/read.ts";
import { text } from "./options/types.ts";

export interface VersionStatus {
  readonly version: string;
  readonly digest?: Digest;
  readonly state: string;
}

export interface AliasStatus extends Omit<AliasFacts, "revisionId"> {
  readonly digest?: Digest;
}

export interface StatusResult {
  readonly function: string;
  readonly region: string;
  readonly arn: string;
  readonly state: string;
  /** false: it cannot be invoked, or the last update failed. */
  readonly healthy: boolean;
  /** What the state means, and how to recover from it. */
  readonly explanation?: string;
  readonly packageType: string;
  readonly architecture: Architecture;
  /** Memory in MB. */
  readonly memory: number;
  /** Timeout in seconds. */
  readonly timeout: number;
  readonly image?: ImageStatus;
  /** Newest first. */
  readonly versions: readonly VersionStatus[];
  readonly aliases: readonly AliasStatus[];
}

export const STATUS_OPTIONS = {
  function: required(text, "a name or an ARN"),
  wait: off("wait until no change is in progress"),
  ...AWS_OPTIONS,
};

export type StatusOptions = OptionsOf<typeof STATUS_OPTIONS>;

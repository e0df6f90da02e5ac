import type { Digest } from "../oci/digest.ts";
import type { AwsOptions } from "./aws-options.ts";

export interface PruneOptions extends AwsOptions {
  readonly repository: string;
  /** So many of the newest images stay, beside those that are used. Default 10. */
  readonly keep?: number;
  /** true: images are deleted. Default false: they are only told. */
  readonly yes?: boolean;
  /**
   * Accounts that the repository's policy lets in and whose functions are known not to use what
   * would go; `*`: those that it lets in without a name.
   */
  readonly ignoreAccount?: string | readonly string[];
}

export interface PrunedImage {
  readonly reference: string;
  readonly digest: Digest;
  readonly tags: readonly string[];
  readonly size: number;
}

export interface PruneResult {
  readonly repository: string;
  /** Deleted, or without `yes` those that would be. */
  readonly pruned: readonly PrunedImage[];
  /**
   * Manifests that belonged to these and went with them: signatures, SBOMs, other referrers, the
   * images of an index.
   */
  readonly attached: readonly PrunedImage[];
  /** Images that functions, versions and aliases of the region use. */
  readonly used: readonly Digest[];
  /**
   * Other images that stay: the newest, and what could not be read or deleted. What belongs to an
   * image is not counted.
   */
  readonly kept: number;
  readonly deleted: boolean;
}

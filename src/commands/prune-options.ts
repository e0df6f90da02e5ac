import type { Digest } from "../oci/digest.ts";
import { AWS_OPTIONS, REPOSITORY_OPTION } from "./aws.ts";
import { type OptionsOf, off, texts, withDefault } from "./options/read.ts";
import { wholeNumber } from "./options/types.ts";

export interface PrunedImage {
  readonly reference: string;
  readonly digest: Digest;
  readonly tags: readonly string[];
  readonly size: number;
}

export interface PruneResult {
  readonly repository: string;
  /** The deleted images, or without `yes` those that would be deleted. */
  readonly pruned: readonly PrunedImage[];
  /**
   * Manifests that belong to these and are deleted with them: signatures, SBOMs, other referrers,
   * and the images of an index.
   */
  readonly attached: readonly PrunedImage[];
  /** Images that functions, versions and aliases in the region use. */
  readonly used: readonly Digest[];
  /**
   * The number of other images that stay: the newest, and those that could not be read or deleted.
   * Manifests that belong to an image are not counted.
   */
  readonly kept: number;
  readonly deleted: boolean;
}

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

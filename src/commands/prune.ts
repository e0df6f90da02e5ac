import type { AwsApi } from "../aws/api.ts";
import { DELETED_AT_ONCE, deleteImages, listImages, type StoredImage } from "../aws/ecr/images.ts";
import { type Owners, readOwners } from "../aws/ecr/owners.ts";
import { type RepositoryFacts, readPolicy } from "../aws/ecr/repositories.ts";
import { usedImages } from "../aws/functions/image-use.ts";
import { ANY_ACCOUNT, foreignAccounts } from "../aws/policy/policy.ts";
import { LambdaPackError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { withAws } from "./aws.ts";
import { PRUNE_OPTIONS, type PruneOptions } from "./aws-options.ts";
import { noEffectWarning } from "./options/no-effect.ts";
import { readOptions, type Values } from "./options/read.ts";
import { type PrunePlan, planPrune } from "./prune-plan.ts";
import { repositoryOf } from "./repo.ts";

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

/**
 * Lists the images of a repository that no function, version or alias of its region uses, except
 * the newest. With `yes`, deletes them together with the manifests that belong only to them
 * (signatures, SBOMs, other referrers, the images of an index). Deletes nothing if it cannot be
 * known what is used, and keeps images that were deployed in the meantime or could not be read.
 * @throws FUNCTION_UNFIT if other accounts may use the images, REPOSITORY_NOT_FOUND, DENIED,
 * CREDENTIALS_INVALID, REGISTRY_ANSWER
 */
export async function prune(options: PruneOptions): Promise<PruneResult> {
  const values = readOptions("prune", PRUNE_OPTIONS, options);
  const { keep, yes } = values;
  return withAws(options, async (api) => {
    const repository = await repositoryOf(api, values);
    await checkOthers(api, repository, values);
    // The order matters: images pushed later are not in the list, and images deployed later count
    // as used.
    const images = await listImages(api, repository);
    const owners = await readOwners(api, repository, images);
    const used = new Set(await usedImages(api, repository.region));
    let plan = planPrune(images, owners, used, keep);
    if (yes && plan.unused.length > 0) {
      for (const digest of await usedImages(api, repository.region)) used.add(digest);
      plan = planPrune(images, owners, used, keep);
    }
    warnOfUnreadable(api, repository, owners, plan);
    const pruned = await drop(api, repository, plan.unused, yes);
    const attached = await dropAttached(api, repository, { plan, owners, pruned }, yes);
    const inUse = images.flatMap(({ digest }) => (used.has(digest) ? [digest] : []));
    const kept = plan.kept + plan.unused.length - pruned.length;
    api.emit({
      type: "images-pruned",
      repository: repository.uri,
      images: pruned.length,
      attached: attached.length,
      size: [...pruned, ...attached].reduce((sum, { size }) => sum + size, 0),
      used: inUse.length,
      kept,
      planned: !yes,
    });
    return { repository: repository.uri, pruned, attached, used: inUse, kept, deleted: yes };
  });
}

function warnOfUnreadable(
  api: AwsApi,
  { uri }: RepositoryFacts,
  { unreadable }: Owners,
  { stray }: PrunePlan,
): void {
  const [first] = unreadable;
  if (first)
    api.emit({
      type: "warning",
      message: `manifests of ${uri} that could not be read stay, with all that may belong to them: ${first[0]} (${first[1]})${andMore(unreadable.size)}`,
      hint: "allow ecr:BatchGetImage to the caller, and run it again",
    });
  if (stray.length > 0)
    api.emit({
      type: "warning",
      message: `manifests of ${uri} that belong to images which are not in it stay: ${stray[0]?.digest}${andMore(stray.length)}`,
      hint: "where they are not needed: aws ecr batch-delete-image",
    });
}

function andMore(count: number): string {
  return count > 1 ? ` and ${count - 1} more` : "";
}

interface Dropping {
  readonly plan: PrunePlan;
  readonly owners: Owners;
  /** The images that were deleted, or would be. */
  readonly pruned: readonly PrunedImage[];
}

/**
 * Deletes dependents only after their image: one that ECR refused to delete keeps its signatures.
 */
async function dropAttached(
  api: AwsApi,
  repository: RepositoryFacts,
  { plan, owners: { owners }, pruned }: Dropping,
  yes: boolean,
): Promise<readonly PrunedImage[]> {
  const gone = new Set<string>(pruned.map(({ digest }) => digest));
  const attached: PrunedImage[] = [];
  const isOwnerless = ({ digest }: StoredImage) =>
    [...(owners.get(digest) ?? [])].every((one) => gone.has(one));
  let left = plan.attached;
  for (let ready = left.filter(isOwnerless); ready.length > 0; ready = left.filter(isOwnerless)) {
    const tried = new Set(ready);
    left = left.filter((image) => !tried.has(image));
    const dropped = await drop(api, repository, ready, yes, owners);
    for (const one of dropped) gone.add(one.digest);
    attached.push(...dropped);
  }
  return attached;
}

/**
 * Deletes the images if `yes` is set. Emits an event for each one that is or would be deleted, and
 * a warning for each one that ECR keeps.
 */
async function drop(
  api: AwsApi,
  repository: RepositoryFacts,
  images: readonly StoredImage[],
  yes: boolean,
  owners?: Owners["owners"],
): Promise<readonly PrunedImage[]> {
  const pruned: PrunedImage[] = [];
  for (let from = 0; from < images.length; from += DELETED_AT_ONCE) {
    const batch = images.slice(from, from + DELETED_AT_ONCE);
    const digests = batch.map(({ digest }) => digest);
    const { gone, kept } = yes
      ? await deleteImages(api, repository, digests)
      : { gone: new Set(digests), kept: new Map<Digest, string>() };
    for (const image of batch.filter(({ digest }) => gone.has(digest))) {
      const one = named(repository, image);
      pruned.push(one);
      const { reference, tags, size } = one;
      const [owner] = owners?.get(image.digest) ?? [];
      api.emit({ type: "image-pruned", reference, tags, size, planned: !yes, ...(owner && { owner }) });
    }
    for (const [digest, reason] of kept)
      api.emit({ type: "warning", message: `ECR did not delete ${repository.uri}@${digest}: ${reason}` });
  }
  return pruned;
}

/** Warns of functions in other accounts, which cannot be listed; with `yes`, that is an error. */
async function checkOthers(
  api: AwsApi,
  repository: RepositoryFacts,
  { yes, ignoreAccount: ignored }: Values<typeof PRUNE_OPTIONS>,
): Promise<void> {
  const accounts = foreignAccounts(await readPolicy(api, repository), repository.accountId);
  const strangers = ignored.filter((account) => !accounts.includes(account));
  const reason = `the policy of the repository does not name ${strangers.join(", ")}`;
  if (strangers.length > 0) api.emit(noEffectWarning("ignoreAccount", reason));
  const unknown = accounts.filter((account) => !ignored.includes(account));
  if (unknown.length === 0) return;
  const names = unknown.map((account) =>
    account === ANY_ACCOUNT ? "accounts that the policy does not name" : account,
  );
  const message = `functions of ${names.join(", ")} may use images of ${repository.uri}, and cannot be seen from here`;
  const hint = `look there first; then ${unknown.map((account) => `--ignore-account ${account === ANY_ACCOUNT ? "'*'" : account}`).join(" ")}`;
  if (yes) throw new LambdaPackError("FUNCTION_UNFIT", message, { hint });
  api.emit({ type: "warning", message, hint });
}

function named({ uri }: RepositoryFacts, { digest, tags, size }: StoredImage): PrunedImage {
  return { reference: `${uri}@${digest}`, digest, tags, size };
}

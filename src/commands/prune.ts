import type { AwsApi } from "../aws/api.ts";
import { DELETED_AT_ONCE, deleteImages, listImages, type StoredImage } from "../aws/ecr/images.ts";
import type { RepositoryFacts } from "../aws/ecr/repositories.ts";
import { readPolicy } from "../aws/ecr/repository-policy.ts";
import { listedImages, usedImages } from "../aws/functions/usage.ts";
import { foreignAccounts } from "../aws/policy/policy.ts";
import { LambdaPackError } from "../errors.ts";
import type { PrunedImage, PruneOptions, PruneResult } from "./aws-options.ts";
import { withAws } from "./aws-session.ts";
import { repositoryOf } from "./repo.ts";

const DEFAULT_KEEP = 10;

/**
 * Images of a repository that no function, version or alias of its region uses, but the newest: told, or with `yes` deleted. Where it cannot be known
 * what is used, nothing is deleted; what came into use while that was found out stays.
 * @throws FUNCTION_UNFIT where other accounts may use the images, REPOSITORY_NOT_FOUND, DENIED, CREDENTIALS_INVALID, REGISTRY_ANSWER.
 */
export async function prune(options: PruneOptions): Promise<PruneResult> {
  const { keep = DEFAULT_KEEP, yes = false } = options;
  return withAws(options, async (api) => {
    const repository = await repositoryOf(api, options);
    await checkOthers(api, repository, options);
    // In this order: what is pushed meanwhile is not in the list, what is deployed meanwhile is known as used.
    const images = await listImages(api, repository);
    const used = new Set(await usedImages(api, repository.region));
    const unused = images.filter(({ digest }) => !used.has(digest)).slice(keep);
    if (yes && unused.length > 0)
      for (const digest of await listedImages(api, repository.region)) used.add(digest);
    const pruned = await drop(
      api,
      repository,
      unused.filter(({ digest }) => !used.has(digest)),
      yes,
    );
    const inUse = images.flatMap(({ digest }) => (used.has(digest) ? [digest] : []));
    const kept = images.length - inUse.length - pruned.length;
    api.emit({
      type: "images-pruned",
      repository: repository.uri,
      images: pruned.length,
      size: pruned.reduce((sum, { size }) => sum + size, 0),
      used: inUse.length,
      kept,
      planned: !yes,
    });
    return { repository: repository.uri, pruned, used: inUse, kept, deleted: yes };
  });
}

/** Deletes them where `yes` says so; tells each as soon as it is gone, or would be. */
async function drop(
  api: AwsApi,
  repository: RepositoryFacts,
  images: readonly StoredImage[],
  yes: boolean,
): Promise<readonly PrunedImage[]> {
  const pruned: PrunedImage[] = [];
  for (let from = 0; from < images.length; from += DELETED_AT_ONCE) {
    const batch = images.slice(from, from + DELETED_AT_ONCE);
    const digests = batch.map(({ digest }) => digest);
    const gone = yes ? await deleteImages(api, repository, digests) : new Set(digests);
    for (const image of batch.filter(({ digest }) => gone.has(digest))) {
      const one = named(repository, image);
      pruned.push(one);
      const { reference, tags, size } = one;
      api.emit({ type: "image-pruned", reference, tags, size, planned: !yes });
    }
  }
  return pruned;
}

/** Functions of other accounts cannot be seen from here. */
async function checkOthers(
  api: AwsApi,
  repository: RepositoryFacts,
  { yes = false, ignoreAccounts = [] }: PruneOptions,
): Promise<void> {
  const accounts = foreignAccounts(await readPolicy(api, repository), repository.accountId);
  const unknown = accounts.filter((account) => !ignoreAccounts.includes(account));
  if (unknown.length === 0) return;
  const message = `functions of ${unknown.join(", ")} may use images of ${repository.uri}, and cannot be seen from here`;
  const hint = `look there first; then ${unknown.map((account) => `--ignore-account ${account}`).join(" ")}`;
  if (yes) throw new LambdaPackError("FUNCTION_UNFIT", message, { hint });
  api.emit({ type: "warning", message, hint });
}

function named({ uri }: RepositoryFacts, { digest, tags, size }: StoredImage): PrunedImage {
  return { reference: `${uri}@${digest}`, digest, tags, size };
}

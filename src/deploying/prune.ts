import type { AwsApi } from "../aws/api.ts";
import { deleteImages, listImages, type StoredImage } from "../aws/images.ts";
import { foreignAccounts } from "../aws/policy.ts";
import type { RepositoryFacts } from "../aws/repositories.ts";
import { readPolicy } from "../aws/repository-policy.ts";
import { usedImages } from "../aws/usage.ts";
import { LambdaPackError } from "../errors.ts";
import type { Pacing } from "../registry/pacing.ts";
import type { PrunedImage, PruneOptions, PruneResult } from "./aws-options.ts";
import { withAws } from "./aws-session.ts";
import { repositoryOf } from "./repo.ts";

const DEFAULT_KEEP = 10;

/**
 * Images of a repository that no function, version or alias of its region uses, but the newest: told, or with `yes` deleted. Where it cannot be known
 * what is used, nothing is deleted.
 * @throws FUNCTION_UNFIT where other accounts may use the images, REPOSITORY_NOT_FOUND, DENIED, CREDENTIALS_INVALID, REGISTRY_ANSWER.
 */
export async function prune(options: PruneOptions, pacing?: Pacing): Promise<PruneResult> {
  const { keep = DEFAULT_KEEP, yes = false } = options;
  return withAws(options, pacing, async (api) => {
    const repository = await repositoryOf(api, options);
    await checkOthers(api, repository, options);
    // In this order: what is pushed meanwhile is not in the list, what is deployed meanwhile is known as used.
    const images = await listImages(api, repository);
    const used = await usedImages(api, repository.region);
    const unused = images.filter(({ digest }) => !used.has(digest)).slice(keep);
    const digests = unused.map(({ digest }) => digest);
    const gone = yes ? await deleteImages(api, repository, digests) : new Set(digests);
    const pruned = unused.filter(({ digest }) => gone.has(digest)).map((image) => named(repository, image));
    for (const { reference, tags, size } of pruned)
      api.emit({ type: "image-pruned", reference, tags, size, planned: !yes });
    const inUse = images.flatMap(({ digest }) => (used.has(digest) ? [digest] : []));
    const kept = images.length - inUse.length - pruned.length;
    return { repository: repository.uri, pruned, used: inUse, kept, deleted: yes };
  });
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

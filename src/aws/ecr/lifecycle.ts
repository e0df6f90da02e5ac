import { isDeepStrictEqual } from "node:util";
import { type Digest, hexOf } from "../../oci/digest.ts";
import { parseObject } from "../../oci/json.ts";
import type { AwsApi } from "../api.ts";
import { incomplete, undefinedOn } from "../refusals.ts";
import type { RepositoryName } from "./names.ts";
import { inRepository } from "./repositories.ts";

/** Prefix of the tag that deploy adds to an image that it gives to a function. */
const IN_USE_PREFIX = "lambda-";

/**
 * Returns the tag that keeps an image from expiring. It depends on the digest only, because tags
 * may be immutable.
 */
export function inUseTag(digest: Digest): string {
  return `${IN_USE_PREFIX}${hexOf(digest).slice(0, 12)}`;
}

/**
 * Returns a policy that expires untagged images after `untaggedDays` days, but never an image of a
 * function. The first rule protects those: an image that matches a rule cannot be expired by one of
 * lower priority (ECR user guide, "Lifecycle policy evaluation rules"), and a repository cannot hold
 * more than 100,000 images.
 */
function lifecyclePolicy(untaggedDays: number): object {
  const used = { tagStatus: "tagged", tagPrefixList: [IN_USE_PREFIX] };
  const untagged = { tagStatus: "untagged", countType: "sinceImagePushed", countUnit: "days" };
  return {
    rules: [
      {
        rulePriority: 1,
        description: "never: images that lambda-pack gave to a function",
        selection: { ...used, countType: "imageCountMoreThan", countNumber: 100_000 },
        action: { type: "expire" },
      },
      {
        rulePriority: 2,
        description: "images without a tag",
        selection: { ...untagged, countNumber: untaggedDays },
        action: { type: "expire" },
      },
    ],
  };
}

/** `kept`: the repository has another policy, which was not changed. */
export type LifecycleHow = "added" | "present" | "kept";

export async function ensureLifecycle(
  api: AwsApi,
  repository: RepositoryName,
  untaggedDays: number,
): Promise<LifecycleHow> {
  const wanted = lifecyclePolicy(untaggedDays);
  const found = await readLifecycle(api, repository);
  if (found !== undefined) return isDeepStrictEqual(found, wanted) ? "present" : "kept";
  const what = `set the lifecycle policy of ${repository.name}`;
  const input = { ...inRepository(repository), lifecyclePolicyText: JSON.stringify(wanted) };
  await api.ecr(repository, "PutLifecyclePolicy", input, what);
  return "added";
}

async function readLifecycle(api: AwsApi, repository: RepositoryName): Promise<unknown> {
  const what = `read the lifecycle policy of ${repository.name}`;
  const answer = await api
    .ecr(repository, "GetLifecyclePolicy", inRepository(repository), what)
    .catch(undefinedOn("LifecyclePolicyNotFoundException"));
  if (!answer) return undefined;
  const { lifecyclePolicyText: text } = answer;
  if (text === undefined)
    throw incomplete(`the lifecycle policy of ${repository.name}`, "lifecyclePolicyText");
  // Text that is not JSON is a policy too, but not one that this program wrote.
  return parseObject(text) ?? text;
}

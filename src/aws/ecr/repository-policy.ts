import type { AwsApi } from "../api.ts";
import { type Document, formatPolicy, parsePolicy } from "../policy/policy-document.ts";
import { incomplete, undefinedOn } from "../refusals.ts";
import { inRepository } from "./repositories.ts";
import type { RepositoryName } from "./repository-name.ts";

/**
 * Reads the policy of a repository; undefined: it has none.
 * @throws REGISTRY_ANSWER for a policy that cannot be read.
 */
export async function readPolicy(api: AwsApi, repository: RepositoryName): Promise<Document | undefined> {
  const what = `read the policy of ${repository.name}`;
  const answer = await api
    .ecr(repository, "GetRepositoryPolicy", inRepository(repository), what)
    .catch(undefinedOn("RepositoryPolicyNotFoundException"));
  if (!answer) return undefined;
  if (answer.policyText === undefined) throw incomplete(`the policy of ${repository.name}`, "policyText");
  return parsePolicy(answer.policyText, repository.name);
}

/** Sets the policy of the repository, or deletes it if `document` is undefined. */
export async function writePolicy(
  api: AwsApi,
  repository: RepositoryName,
  document: Document | undefined,
): Promise<void> {
  const input = inRepository(repository);
  if (document) {
    const what = `set the policy of ${repository.name}`;
    const policyText = formatPolicy(document);
    await api.ecr(repository, "SetRepositoryPolicy", { ...input, policyText }, what);
    return;
  }
  const what = `delete the policy of ${repository.name}`;
  await api
    .ecr(repository, "DeleteRepositoryPolicy", input, what)
    .catch(undefinedOn("RepositoryPolicyNotFoundException"));
}

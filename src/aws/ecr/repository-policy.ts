import type { AwsApi } from "../api.ts";
import { type Document, formatPolicy, parsePolicy } from "../policy/policy-document.ts";
import { incomplete, unless } from "../refusals.ts";
import { registryOf } from "./repositories.ts";
import type { RepositoryName } from "./repository-name.ts";

/** undefined: the repository has none. @throws REGISTRY_ANSWER where it has one that cannot be read. */
export async function readPolicy(api: AwsApi, repository: RepositoryName): Promise<Document | undefined> {
  const call = { what: `read the policy of ${repository.name}`, action: "ecr:GetRepositoryPolicy" };
  const answer = await api.ecr(repository, call, async (client, sdk, options) => {
    const input = { ...registryOf(repository), repositoryName: repository.name };
    return client
      .send(new sdk.GetRepositoryPolicyCommand(input), options)
      .catch(unless("RepositoryPolicyNotFoundException", undefined));
  });
  if (!answer) return undefined;
  if (answer.policyText === undefined) throw incomplete(`the policy of ${repository.name}`, "policyText");
  return parsePolicy(answer.policyText, repository.name);
}

/** Afterwards the repository's policy is this one; undefined: it has none. */
export async function writePolicy(
  api: AwsApi,
  repository: RepositoryName,
  document: Document | undefined,
): Promise<void> {
  const input = { ...registryOf(repository), repositoryName: repository.name };
  if (document) {
    const call = { what: `set the policy of ${repository.name}`, action: "ecr:SetRepositoryPolicy" };
    await api.ecr(repository, call, (client, sdk, options) =>
      client.send(
        new sdk.SetRepositoryPolicyCommand({ ...input, policyText: formatPolicy(document) }),
        options,
      ),
    );
    return;
  }
  const call = { what: `delete the policy of ${repository.name}`, action: "ecr:DeleteRepositoryPolicy" };
  await api.ecr(repository, call, (client, sdk, options) =>
    client
      .send(new sdk.DeleteRepositoryPolicyCommand(input), options)
      .catch(unless("RepositoryPolicyNotFoundException", undefined)),
  );
}

import type { AwsApi } from "../api.ts";
import { type Document, formatPolicy, parsePolicy } from "../policy/policy-document.ts";
import { unless } from "../refusals.ts";
import { registryOf } from "./repositories.ts";
import type { RepositoryName } from "./repository-name.ts";

/** undefined: the repository has none. */
export async function readPolicy(api: AwsApi, repository: RepositoryName): Promise<Document | undefined> {
  const call = { what: `read the policy of ${repository.name}`, action: "ecr:GetRepositoryPolicy" };
  const text = await api.ecr(repository, call, async (client, sdk, options) => {
    const input = { ...registryOf(repository), repositoryName: repository.name };
    const answer = await client
      .send(new sdk.GetRepositoryPolicyCommand(input), options)
      .catch(unless("RepositoryPolicyNotFoundException", undefined));
    return answer?.policyText;
  });
  return text === undefined ? undefined : parsePolicy(text);
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

import type { CreateRepositoryCommandInput, Repository } from "@aws-sdk/client-ecr";
import type { AwsApi } from "../api.ts";
import { type Document, formatPolicy, parsePolicy } from "../policy/policy-document.ts";
import { incomplete, present, undefinedOn } from "../refusals.ts";
import { type RepositoryName, repositoryUri } from "./names.ts";

export interface RepositoryFacts extends RepositoryName {
  readonly accountId: string;
  readonly arn: string;
  /** As in a reference, without a tag. */
  readonly uri: string;
  readonly immutableTags: boolean;
  /** Patterns of tags that can be moved nevertheless. */
  readonly movableTags: readonly string[];
  readonly scanOnPush: boolean;
  readonly encryption: string;
}

interface RepositorySettings {
  /** Default true: a pushed tag always names the same image. */
  readonly immutableTags?: boolean;
  /** Patterns of tags that can be moved nevertheless. Default: none. */
  readonly movableTags?: readonly string[];
  /** AWS resource tags of the repository. Default: none. */
  readonly resourceTags?: Readonly<Record<string, string>>;
  /** Default true. */
  readonly scanOnPush?: boolean;
  /** `AES256` (the default), `KMS` for AWS's own key, or the ARN of a key. It cannot be changed. */
  readonly encryption?: string;
}

/** Returns the repository; undefined: it does not exist. */
export async function findRepository(
  api: AwsApi,
  repository: RepositoryName,
): Promise<RepositoryFacts | undefined> {
  const what = `describe the repository ${repository.name}`;
  const input = { repositoryNames: [repository.name], ...registryOf(repository) };
  const answer = await api
    .ecr(repository, "DescribeRepositories", input, what)
    .catch(undefinedOn("RepositoryNotFoundException"));
  if (!answer) return undefined;
  const [found] = answer.repositories ?? [];
  return factsOf(repository, present(found, `the repository ${repository.name}`, "repositories"));
}

interface EnsuredRepository {
  readonly facts: RepositoryFacts;
  /** false: it existed and was not changed. */
  readonly created: boolean;
}

/** Creates the repository unless it exists. An existing one keeps its settings. */
export async function ensureRepository(
  api: AwsApi,
  repository: RepositoryName,
  settings: RepositorySettings,
): Promise<EnsuredRepository> {
  const existing = await findRepository(api, repository);
  if (existing) return { facts: existing, created: false };
  const made = await createRepository(api, repository, settings);
  if (made) return { facts: factsOf(repository, made), created: true };
  // Another process, or an earlier attempt whose answer was lost, has created it.
  const found = await findRepository(api, repository);
  return { facts: present(found, `the repository ${repository.name}`, "repository"), created: false };
}

/** Creates a repository. Returns undefined if it exists by now. */
async function createRepository(
  api: AwsApi,
  repository: RepositoryName,
  settings: RepositorySettings,
): Promise<Repository | undefined> {
  const { immutableTags = true, scanOnPush = true, encryption = "AES256" } = settings;
  const { movableTags = [], resourceTags = {} } = settings;
  const tags = Object.entries(resourceTags).map(([Key, Value]) => ({ Key, Value }));
  const what = `create the repository ${repository.name}`;
  const input: CreateRepositoryCommandInput = {
    ...inRepository(repository),
    ...mutabilityOf(immutableTags, movableTags),
    ...(tags.length > 0 && { tags }),
    imageScanningConfiguration: { scanOnPush },
    encryptionConfiguration: encryption.startsWith("arn:")
      ? { encryptionType: "KMS", kmsKey: encryption }
      : { encryptionType: encryption === "KMS" ? "KMS" : "AES256" },
  };
  const answer = await api
    .ecr(repository, "CreateRepository", input, what)
    .catch(undefinedOn("RepositoryAlreadyExistsException"));
  return answer?.repository;
}

function mutabilityOf(
  immutable: boolean,
  movableTags: readonly string[],
): Pick<CreateRepositoryCommandInput, "imageTagMutability" | "imageTagMutabilityExclusionFilters"> {
  if (!immutable) return { imageTagMutability: "MUTABLE" };
  if (movableTags.length === 0) return { imageTagMutability: "IMMUTABLE" };
  return {
    imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
    imageTagMutabilityExclusionFilters: movableTags.map((filter) => ({ filterType: "WILDCARD", filter })),
  };
}

/** Reads the caller's account from the login for its registry, which every push needs anyway. */
export async function ownAccount(api: AwsApi, place: RepositoryName): Promise<string | undefined> {
  const what = "read the caller's account";
  const answer = await api.ecr(place, "GetAuthorizationToken", {}, what);
  return /^https:\/\/(\d{12})\./.exec(answer.authorizationData?.[0]?.proxyEndpoint ?? "")?.[1];
}

/** Returns the fields that name a repository in a request. */
export function inRepository(repository: RepositoryName) {
  return { ...registryOf(repository), repositoryName: repository.name };
}

function registryOf({ accountId }: RepositoryName): { readonly registryId?: string } {
  return accountId === undefined ? {} : { registryId: accountId };
}

function factsOf(repository: RepositoryName, found: Repository): RepositoryFacts {
  const accountId = found.registryId ?? repository.accountId ?? "";
  return {
    ...repository,
    accountId,
    arn: found.repositoryArn ?? "",
    uri: found.repositoryUri ?? repositoryUri(accountId, repository),
    immutableTags: found.imageTagMutability?.startsWith("IMMUTABLE") ?? false,
    movableTags: found.imageTagMutabilityExclusionFilters?.flatMap(({ filter = [] }) => filter) ?? [],
    scanOnPush: found.imageScanningConfiguration?.scanOnPush ?? false,
    encryption: found.encryptionConfiguration?.kmsKey ?? found.encryptionConfiguration?.encryptionType ?? "",
  };
}

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

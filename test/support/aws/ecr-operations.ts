import { documentOf } from "../ecr/content/documents.ts";
import type { Registry, Repository } from "../ecr/content/repositories.ts";
import type { Call, Result } from "../ecr/operations.ts";
import { hostOf, operations } from "../ecr/operations.ts";

/** What a repository has beside its images. */
interface Settings {
  readonly created: unknown;
  lifecycle: string | undefined;
}

const settings = new WeakMap<Repository, Settings>();
const pushedAt = new WeakMap<Repository, Map<string, number>>();

/** When an image came, in seconds since 1970; the double knows only what it is told. */
export function setPushedAt(repository: Repository, digest: string, seconds: number): void {
  const known = pushedAt.get(repository) ?? new Map<string, number>();
  pushedAt.set(repository, known.set(digest, seconds));
}

const unreadable = new WeakMap<Repository, Map<string, string>>();

/** BatchGetImage lists the image under `failures` with this code from now on (API reference, "ImageFailure"). */
export function failReading(repository: Repository, digest: string, failureCode: string): void {
  const known = unreadable.get(repository) ?? new Map<string, string>();
  unreadable.set(repository, known.set(digest, failureCode));
}

/** The input of the CreateRepository that made it. */
export function createdWith(repository: Repository): Readonly<Record<string, unknown>> {
  return (settings.get(repository)?.created ?? {}) as Readonly<Record<string, unknown>>;
}

export function lifecycleOf(repository: Repository): string | undefined {
  return settings.get(repository)?.lifecycle;
}

/** Images of one answer of DescribeImages: few, so that pages are met. */
const PAGE = 3;

/** Operations of the ECR API that context and keeping house need; input and output as in the API reference. */
export const keepingHouse: Readonly<Record<string, (call: Call) => Result>> = {
  CreateRepository: (call) => {
    const result = operations["CreateRepository"]?.(call) ?? { error: "ServerException", message: "" };
    if ("error" in result) return result;
    const repository = call.registry.create(String(call.input["repositoryName"]));
    settings.set(repository, { created: call.input, lifecycle: undefined });
    return { output: { repository: described(call.registry, repository) } };
  },
  DescribeRepositories: (call) => {
    const registry = registryOf(call);
    const names = call.input["repositoryNames"];
    const wanted = Array.isArray(names) ? names.map(String) : [...registry.repositories.keys()];
    const found = wanted.flatMap((name) => registry.repositories.get(name) ?? []);
    const missing = wanted.find((name) => !registry.repositories.has(name));
    if (missing !== undefined) return notFound(registry, missing);
    return { output: { repositories: found.map((one) => described(registry, one)) } };
  },
  SetRepositoryPolicy: (call) =>
    within(call, (repository, registry) => {
      repository.policy = String(call.input["policyText"]);
      return {
        output: {
          registryId: registry.account,
          repositoryName: repository.name,
          policyText: repository.policy,
        },
      };
    }),
  GetRepositoryPolicy: (call) =>
    within(call, (repository, registry) => {
      const { name, policy: policyText } = repository;
      if (policyText !== undefined)
        return { output: { registryId: registry.account, repositoryName: name, policyText } };
      return {
        error: "RepositoryPolicyNotFoundException",
        message: `Repository policy does not exist for the repository with name '${name}' in the registry with id '${registry.account}'`,
      };
    }),
  DeleteRepositoryPolicy: (call) =>
    within(call, (repository) => {
      const { policy: policyText } = repository;
      repository.policy = undefined;
      return policyText === undefined
        ? { error: "RepositoryPolicyNotFoundException", message: "Repository policy does not exist" }
        : { output: { policyText } };
    }),
  PutLifecyclePolicy: (call) =>
    within(call, (repository) => {
      const lifecycle = String(call.input["lifecyclePolicyText"]);
      settings.set(repository, { created: settings.get(repository)?.created ?? {}, lifecycle });
      return { output: { lifecyclePolicyText: lifecycle } };
    }),
  GetLifecyclePolicy: (call) =>
    within(call, (repository) => {
      const lifecyclePolicyText = lifecycleOf(repository);
      if (lifecyclePolicyText !== undefined) return { output: { lifecyclePolicyText } };
      return { error: "LifecyclePolicyNotFoundException", message: "Lifecycle policy does not exist" };
    }),
  DescribeImages: (call) =>
    within(call, (repository, registry) => describeImages(call, repository, registry)),
  BatchGetImage: (call) => within(call, (repository) => getImages(call, repository)),
  BatchDeleteImage: (call) => within(call, (repository) => deleteImages(call, repository)),
};

function describeImages({ input }: Call, repository: Repository, registry: Registry): Result {
  const ids = input["imageIds"];
  const wanted = Array.isArray(ids) ? ids.map(digestOfId) : [...repository.manifests.keys()];
  const missing = wanted.find((digest) => !repository.manifests.has(digest));
  if (missing !== undefined)
    return {
      error: "ImageNotFoundException",
      message: `The image with imageId {imageDigest:'${missing}'} does not exist within the repository with name '${repository.name}' in the registry with id '${registry.account}'`,
    };
  const from = Number(input["nextToken"] ?? 0);
  const imageDetails = wanted.slice(from, from + PAGE).map((digest) => imageDetail(repository, digest));
  const more = from + PAGE < wanted.length;
  return { output: { imageDetails, ...(more && { nextToken: String(from + PAGE) }) } };
}

function imageDetail(repository: Repository, digest: string): object {
  const { bytes, mediaType } = repository.manifests.get(digest) ?? { bytes: Buffer.alloc(0), mediaType: "" };
  const imageTags = [...repository.tags].flatMap(([tag, named]) => (named === digest ? [tag] : []));
  const { layers = [] } = JSON.parse(String(bytes)) as {
    readonly layers?: readonly { readonly size: number }[];
  };
  return {
    imageDigest: digest,
    repositoryName: repository.name,
    ...(imageTags.length > 0 && { imageTags }),
    imageSizeInBytes: layers.reduce((sum, { size }) => sum + size, 0),
    imageManifestMediaType: mediaType,
    ...artifactFields(bytes),
    imagePushedAt: pushedAt.get(repository)?.get(digest) ?? 1_700_000_000,
  };
}

/** DescribeImages tells of a manifest its artifact type, or its config's media type, and its subject. */
function artifactFields(bytes: Buffer): object {
  const { artifactType, subject } = documentOf(bytes) ?? {};
  return {
    ...(artifactType !== undefined && { artifactMediaType: artifactType }),
    ...(subject !== undefined && { subjectManifestDigest: subject }),
  };
}

/** Failures of single images come beside the others, with status 200. */
function getImages({ input }: Call, repository: Repository): Result {
  const images: object[] = [];
  const failures: object[] = [];
  for (const digest of (Array.isArray(input["imageIds"]) ? input["imageIds"] : []).map(digestOfId)) {
    const imageId = { imageDigest: digest };
    const found = repository.manifests.get(digest);
    const failureCode = found ? unreadable.get(repository)?.get(digest) : "ImageNotFound";
    if (failureCode || !found) failures.push({ imageId, failureCode, failureReason: "not this one" });
    else
      images.push({ imageId, imageManifest: String(found.bytes), imageManifestMediaType: found.mediaType });
  }
  return { output: { images, failures } };
}

function deleteImages({ input }: Call, repository: Repository): Result {
  const ids = Array.isArray(input["imageIds"]) ? input["imageIds"] : [];
  const failures: object[] = [];
  const imageIds: object[] = [];
  for (const digest of ids.map(digestOfId)) {
    const imageId = { imageDigest: digest };
    const failureCode = refusalToDelete(repository, digest);
    if (failureCode) failures.push({ imageId, failureCode, failureReason: failureCode });
    else imageIds.push(imageId);
    if (failureCode) continue;
    repository.manifests.delete(digest);
    for (const [tag, named] of repository.tags) if (named === digest) repository.tags.delete(tag);
  }
  return { output: { imageIds, failures } };
}

function refusalToDelete(repository: Repository, digest: string): string | undefined {
  if (!repository.manifests.has(digest)) return "ImageNotFound";
  const indexes = [...repository.manifests.values()].filter(({ bytes }) =>
    documentOf(bytes)?.manifests.includes(digest),
  );
  return indexes.length > 0 ? "ImageReferencedByManifestList" : undefined;
}

function digestOfId(id: unknown): string {
  return String((id as { readonly imageDigest?: unknown }).imageDigest);
}

function registryOf({ ecr, registry, input }: Call): Registry {
  const account = input["registryId"];
  return typeof account === "string" ? ecr.registry(account, registry.region) : registry;
}

function within(call: Call, run: (repository: Repository, registry: Registry) => Result): Result {
  const registry = registryOf(call);
  const name = String(call.input["repositoryName"]);
  const repository = registry.repositories.get(name);
  return repository ? run(repository, registry) : notFound(registry, name);
}

function notFound({ account }: Registry, name: string): Result {
  const message = `The repository with name '${name}' does not exist in the registry with id '${account}'`;
  return { error: "RepositoryNotFoundException", message };
}

function described(registry: Registry, repository: Repository): object {
  const { name, immutable } = repository;
  const created = (settings.get(repository)?.created ?? {}) as Readonly<Record<string, unknown>>;
  return {
    repositoryArn: registry.arn(name),
    registryId: registry.account,
    repositoryName: name,
    repositoryUri: `${hostOf(registry)}/${name}`,
    createdAt: 1_700_000_000,
    imageTagMutability: immutable ? "IMMUTABLE" : "MUTABLE",
    imageScanningConfiguration: created["imageScanningConfiguration"] ?? { scanOnPush: false },
    encryptionConfiguration: created["encryptionConfiguration"] ?? { encryptionType: "AES256" },
  };
}

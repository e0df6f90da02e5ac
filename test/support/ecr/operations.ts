import type { Registry, Repository } from "./content/repositories.ts";
import type { FakeEcr } from "./ecr.ts";

export type Fields = Readonly<Record<string, unknown>>;

export interface Call {
  readonly ecr: FakeEcr;
  readonly registry: Registry;
  readonly input: Fields;
}

export type Result =
  | { readonly output: object }
  /** `error`: the exception's name, as in the API reference. */
  | { readonly error: string; readonly message: string };

/** Operations of the ECR API, by name; input and output as in the API reference. */
export const operations: Readonly<Record<string, (call: Call) => Result>> = {
  GetAuthorizationToken: ({ ecr, registry }) => {
    const token = Buffer.from(`AWS:${ecr.tokens.issue(registry.region)}`).toString("base64");
    const proxyEndpoint = `https://${hostOf(registry)}`;
    const data = { authorizationToken: token, expiresAt: ecr.tokens.expiry(), proxyEndpoint };
    return { output: { authorizationData: [data] } };
  },

  CreateRepository: ({ registry, input }) => {
    const name = String(input["repositoryName"]);
    const where = `in the registry with id '${registry.account}'`;
    if (!NAME.test(name)) return invalid("repositoryName", NAME.source);
    if (registry.repositories.has(name)) {
      const message = `The repository with name '${name}' already exists ${where}`;
      return { error: "RepositoryAlreadyExistsException", message };
    }
    const repository = registry.create(name);
    repository.immutable = input["imageTagMutability"] === "IMMUTABLE";
    return { output: { repository: described(registry, repository) } };
  },

  DescribeRepositories: ({ registry, input }) => {
    const names = strings(input["repositoryNames"]) ?? [...registry.repositories.keys()];
    const missing = names.find((name) => !registry.repositories.has(name));
    if (missing !== undefined) return unknownRepository(registry, missing);
    const repositories = names.map((name) => described(registry, registry.create(name)));
    return { output: { repositories } };
  },

  BatchCheckLayerAvailability: (call) =>
    within(call, ({ blobs }) => {
      const digests = strings(call.input["layerDigests"]) ?? [];
      if (digests.length === 0 || digests.length > 100)
        return invalid("layerDigests", "length between 1 and 100");
      const failures = digests
        .filter((digest) => !/^[a-z0-9]+:[0-9a-f]{8,}$/.test(digest))
        .map((layerDigest) => ({
          layerDigest,
          failureCode: "InvalidLayerDigest",
          failureReason: "Invalid digest",
        }));
      const isFine = (digest: string) => failures.every(({ layerDigest }) => layerDigest !== digest);
      const layers = digests
        .filter(isFine)
        .map((layerDigest) => availability(layerDigest, blobs.get(layerDigest)));
      return { output: { layers, failures } };
    }),

  SetRepositoryPolicy: (call) =>
    within(call, (repository) => {
      repository.policy = String(call.input["policyText"]);
      return { output: policyOf(call.registry, repository) };
    }),

  GetRepositoryPolicy: (call) =>
    within(call, (repository) => {
      if (repository.policy !== undefined) return { output: policyOf(call.registry, repository) };
      const message = `Repository policy does not exist for the repository with name '${repository.name}' in the registry with id '${call.registry.account}'`;
      return { error: "RepositoryPolicyNotFoundException", message };
    }),
};

const NAME = /^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

export function hostOf({ account, region }: Registry): string {
  return `${account}.dkr.ecr.${region}.amazonaws.com`;
}

function within({ registry, input }: Call, run: (repository: Repository) => Result): Result {
  const name = String(input["repositoryName"]);
  const repository = registry.repositories.get(name);
  return repository ? run(repository) : unknownRepository(registry, name);
}

function unknownRepository({ account }: Registry, name: string): Result {
  const message = `The repository with name '${name}' does not exist in the registry with id '${account}'`;
  return { error: "RepositoryNotFoundException", message };
}

function invalid(parameter: string, constraint: string): Result {
  const message = `Invalid parameter at '${parameter}' failed to satisfy constraint: '${constraint}'`;
  return { error: "InvalidParameterException", message };
}

function described(registry: Registry, { name, immutable }: Repository): object {
  return {
    repositoryArn: registry.arn(name),
    registryId: registry.account,
    repositoryName: name,
    repositoryUri: `${hostOf(registry)}/${name}`,
    createdAt: 1_700_000_000,
    imageTagMutability: immutable ? "IMMUTABLE" : "MUTABLE",
    imageScanningConfiguration: { scanOnPush: false },
    encryptionConfiguration: { encryptionType: "AES256" },
  };
}

function availability(layerDigest: string, bytes: Buffer | undefined): object {
  if (!bytes) return { layerDigest, layerAvailability: "UNAVAILABLE" };
  return {
    layerDigest,
    layerAvailability: "AVAILABLE",
    layerSize: bytes.length,
    mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  };
}

function policyOf({ account }: Registry, { name, policy }: Repository): object {
  return { registryId: account, repositoryName: name, policyText: policy };
}

function strings(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.map(String) : undefined;
}

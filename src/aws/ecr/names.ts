import { LambdaPackError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { requireRegistry } from "../../oci/explicit-registry.ts";
import { parseReference } from "../../oci/reference.ts";
import { isLoopback } from "../../registry/http/proxy.ts";
import { ECR_HOST } from "../../registry/traits.ts";
import { type Environment, endpointOf } from "../environment.ts";
import { checkRegion, defaultRegion, environmentRegion, partitionOf } from "../regions.ts";

/**
 * The parts of the host name of a private ECR registry. Its region and kind decide which API gives
 * its login, whatever AWS_REGION is.
 */
export interface EcrHost {
  /** Twelve digits; undefined if an emulator's host name has none. */
  readonly accountId?: string;
  readonly region: string;
  readonly fips: boolean;
  /** Whether it is reached over IPv6 as well. */
  readonly dualStack: boolean;
  /** Host and port of an emulator's registry, which AWS's naming rules do not cover. */
  readonly emulator?: string;
}

/**
 * Parses the host of a reference; undefined: it is not a private ECR registry. The registry of an
 * emulator (LocalStack and others) counts only if `environment` names the emulator as ECR's
 * endpoint.
 */
export function parseEcrHost(host: string, environment: Environment = {}): EcrHost | undefined {
  const [, accountId, separator, fips, region] = ECR_HOST.exec(host) ?? [];
  if (accountId === undefined || region === undefined) return emulatedHost(host, environment);
  return { accountId, region: region.toLowerCase(), fips: fips !== undefined, dualStack: separator === "-" };
}

/**
 * Matches `000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud:4566`, or only a host such as
 * `localhost:4510`.
 */
const EMULATED = /^(?:(\d{12})\.dkr\.ecr\.([a-z]{2}(?:-[a-z]+)+-\d)\.)?([^/:]+|\[[^\]]+\])(?::\d+)?$/;

/**
 * Its name must end with the endpoint's host, or both must be this machine, so that no other host
 * gets a login.
 */
function emulatedHost(host: string, environment: Environment): EcrHost | undefined {
  const endpoint = endpointOf(environment);
  const [, accountId, region, tail] = EMULATED.exec(host.toLowerCase()) ?? [];
  if (endpoint === undefined || !URL.canParse(endpoint) || tail === undefined) return undefined;
  const { hostname } = new URL(endpoint);
  const areLocal = isThisMachine(tail) && isThisMachine(hostname);
  if (!areLocal && (region === undefined || tail !== hostname)) return undefined;
  return {
    ...(accountId !== undefined && { accountId }),
    region: region ?? environmentRegion(environment) ?? "us-east-1",
    fips: false,
    dualStack: false,
    emulator: host,
  };
}

/** LocalStack's name for 127.0.0.1 (docs.localstack.cloud, "localhost.localstack.cloud"). */
function isThisMachine(host: string): boolean {
  return isLoopback(host.replace(/^\[|\]$/g, "")) || /^(.*\.)?localhost\.localstack\.cloud$/.test(host);
}

/** A private ECR repository as a user names it; without an account it is in the caller's own. */
export interface RepositoryName extends EcrHost {
  readonly name: string;
}

/** ECR API reference, CreateRepository. */
const NAME = /^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

/**
 * Parses `app`, `team/app` or `123456789012.dkr.ecr.eu-west-1.amazonaws.com/app`, and ignores a tag
 * or digest. A bare name is in `region`, else in the region of the environment.
 * @throws USAGE, REFERENCE_INVALID.
 */
export async function parseRepositoryName(
  text: string,
  environment: Environment,
  region?: string,
): Promise<RepositoryName> {
  const named = parseRepositoryUri(text, environment);
  if (named) return checkUriRegion(text, named, region);
  if (!isRepositoryName(text))
    throw new LambdaPackError("USAGE", `${JSON.stringify(text.slice(0, 100))} is not a repository name`, {
      hint: "lower case letters, digits and . _ - / between them: team/app, or the whole URI",
    });
  const found = region === undefined ? await defaultRegion(environment) : checkRegion(region);
  return { name: text, region: found, fips: false, dualStack: false };
}

/** @throws USAGE if `region` is not that of the repository's URI */
export function checkUriRegion(uri: string, repository: RepositoryName, region?: string): RepositoryName {
  if (region === undefined || region === repository.region) return repository;
  throw new LambdaPackError("USAGE", `${uri} is in ${repository.region}, and the region given is ${region}`, {
    hint: "leave out --region, or give only the repository's name",
  });
}

export function isRepositoryName(text: string): boolean {
  return NAME.test(text) && text.length >= 2 && text.length <= 256;
}

/**
 * Parses a name with a host; undefined: it has none.
 * @throws USAGE for a host that is not a private ECR registry.
 */
export function parseRepositoryUri(text: string, environment: Environment): RepositoryName | undefined {
  if (!/^[^/]*[.:][^/]*\//.test(text)) return undefined;
  requireRegistry(text);
  const { registry, repository } = parseReference(text);
  const host = parseEcrHost(registry, environment);
  if (host) return { ...host, name: repository };
  throw new LambdaPackError("USAGE", `${registry} is not a private Amazon ECR registry`, {
    hint: "Lambda loads images only from there: <account>.dkr.ecr.<region>.amazonaws.com/<name>; an emulator's registry needs AWS_ENDPOINT_URL",
  });
}

/**
 * Returns the URI for references, without a tag:
 * `123456789012.dkr.ecr.eu-west-1.amazonaws.com/app`, or in its dual-stack form
 * (`….dkr-ecr.eu-west-1.on.aws`).
 */
export function repositoryUri(accountId: string, repository: RepositoryName): string {
  const { region, fips, dualStack, name, emulator } = repository;
  if (emulator !== undefined) return `${emulator}/${name}`;
  const { dnsSuffix, dualStackSuffix } = partitionOf(region);
  const [separator, suffix] = dualStack ? ["-", dualStackSuffix] : [".", dnsSuffix];
  return `${accountId}.dkr${separator}ecr${fips ? "-fips" : ""}.${region}.${suffix}/${name}`;
}

/** Returns the name of an image for Lambda, which accepts only the plain host names of ECR. */
export function lambdaUri(uri: string, digest: Digest, environment: Environment): string {
  const repository = parseRepositoryUri(uri, environment);
  if (!repository?.accountId) return `${uri}@${digest}`;
  return `${repositoryUri(repository.accountId, { ...repository, fips: false, dualStack: false })}@${digest}`;
}

/** Returns the repository of the same name in another region. */
export function inRegion(repository: RepositoryName, region: string): RepositoryName {
  return { ...repository, region };
}

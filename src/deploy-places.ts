import type { AwsApi } from "./aws/api.ts";
import { parseEcrHost } from "./aws/ecr-host.ts";
import type { FunctionFacts } from "./aws/function-facts.ts";
import { type FunctionName, type FunctionPlace, parseFunctionName } from "./aws/function-name.ts";
import { checkSameRegion } from "./aws/preflight.ts";
import { checkRegion, defaultRegion, environmentRegion } from "./aws/regions.ts";
import { ensureRepository, findRepository, ownAccount } from "./aws/repositories.ts";
import {
  inRegion,
  parseRepositoryName,
  parseRepositoryUri,
  type RepositoryName,
  repositoryUri,
} from "./aws/repository-name.ts";
import type { DeployOptions } from "./aws-options.ts";
import type { Endpoint } from "./endpoint.ts";
import { LambdaPackError } from "./errors.ts";
import type { Environment } from "./options.ts";

/** The repository that the words of a deploy name: where the image goes, or is. undefined: they name none. */
export function namedRepository(
  { repo }: DeployOptions,
  source: Endpoint | undefined,
): RepositoryName | undefined {
  if (repo !== undefined) return parseRepositoryUri(repo);
  if (source?.kind !== "registry" || !parseEcrHost(source.reference.registry)) return undefined;
  return parseRepositoryUri(`${source.reference.registry}/${source.reference.repository}`);
}

/**
 * Every function in every region. Without --region they are where the repository is.
 * @throws USAGE, or FUNCTION_UNFIT where the function's ARN or AWS_REGION names another region than the repository's.
 */
export async function placesOf(
  options: DeployOptions,
  repository: RepositoryName | undefined,
  environment: Environment,
): Promise<readonly FunctionPlace[]> {
  const names = [options.function].flat().map(parseFunctionName);
  if (names.length === 0)
    throw new LambdaPackError("USAGE", "no function is given", { hint: "--function NAME" });
  const regions = [options.region ?? []].flat().map(checkRegion);
  if (regions.length > 0) return names.flatMap((name) => regions.map((region) => placeOf(name, region)));
  const places: FunctionPlace[] = [];
  for (const name of names) places.push(await placeAlone(name, repository, environment));
  return places;
}

function placeOf(name: FunctionName, region: string): FunctionPlace {
  if (name.region === undefined || name.region === region) return { ...name, region };
  throw new LambdaPackError(
    "USAGE",
    `the function ${name.name} is in ${name.region}, and --region is ${region}`,
    {
      hint: "name functions without their ARN to have them in several regions",
    },
  );
}

async function placeAlone(
  name: FunctionName,
  repository: RepositoryName | undefined,
  environment: Environment,
): Promise<FunctionPlace> {
  const wanted = name.region ?? environmentRegion(environment);
  if (!repository) return { ...name, region: wanted ?? (await defaultRegion(environment)) };
  const place = { ...name, region: wanted ?? repository.region };
  checkSameRegion(place, `${repository.accountId}/${repository.name}`, repository.region);
  return place;
}

/** A function that the deploy found, or is to make. */
export interface Found {
  readonly place: FunctionPlace;
  readonly facts: FunctionFacts | undefined;
}

/**
 * The URI of the repository in one region, without tag. Afterwards it is there, where `createRepo` says so; where not, it may still come to be
 * by being pushed to (ECR's repository creation templates).
 * @throws USAGE where several functions leave it open.
 */
export async function repositoryFor(
  api: AwsApi,
  region: string,
  found: readonly Found[],
  options: DeployOptions,
  named: RepositoryName | undefined,
): Promise<string> {
  const repository = named
    ? inRegion(named, region)
    : await repositoryByFunction(region, found, options, api);
  if (options.createRepo && !options.dryRun) {
    const { facts, created } = await ensureRepository(api, repository, {});
    api.emit({ type: "repository-ready", uri: facts.uri, created });
    return facts.uri;
  }
  if (repository.accountId !== undefined) return repositoryUri(repository.accountId, repository);
  const facts = await findRepository(api, repository);
  if (facts) return facts.uri;
  return repositoryUri((await ownAccount(api, repository)) ?? "", repository);
}

async function repositoryByFunction(
  region: string,
  found: readonly Found[],
  { repo }: DeployOptions,
  { environment }: AwsApi,
): Promise<RepositoryName> {
  if (repo !== undefined) return parseRepositoryName(repo, environment, region);
  const own = new Set(found.flatMap(({ facts }) => facts?.imageUri?.replace(/[:@][^/]*$/, "") ?? []));
  const names = own.size > 0 ? [...own] : [...new Set(found.map(({ place }) => place.name.toLowerCase()))];
  const [only, ...more] = names;
  if (only !== undefined && more.length === 0) return parseRepositoryName(only, environment, region);
  throw new LambdaPackError("USAGE", `several functions, and no word of the repository for their image`, {
    hint: "--repo NAME",
  });
}

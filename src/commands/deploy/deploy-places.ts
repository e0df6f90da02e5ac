import type { AwsApi } from "../../aws/api.ts";
import { parseEcrHost } from "../../aws/ecr/ecr-host.ts";
import { ensureRepository, findRepository, ownAccount } from "../../aws/ecr/repositories.ts";
import {
  inRegion,
  isRepositoryName,
  parseRepositoryName,
  parseRepositoryUri,
  type RepositoryName,
  repositoryUri,
} from "../../aws/ecr/repository-name.ts";
import type { FunctionFacts } from "../../aws/functions/function-facts.ts";
import {
  type FunctionName,
  type FunctionPlace,
  parseFunctionName,
} from "../../aws/functions/function-name.ts";
import { checkSameRegion } from "../../aws/functions/plan-function.ts";
import { checkRegion, defaultRegion, environmentRegion } from "../../aws/regions.ts";
import { LambdaPackError } from "../../errors.ts";
import type { ImageLocation } from "../../session/image-location.ts";
import type { Environment } from "../../session/plan.ts";
import type { DeployOptions } from "../aws-options.ts";

/** Returns the repository that the options or the source name; undefined if they name none. */
export function namedRepository(
  { repo }: DeployOptions,
  source: ImageLocation | undefined,
  environment: Environment,
): RepositoryName | undefined {
  if (repo !== undefined) return parseRepositoryUri(repo, environment);
  if (source?.kind !== "registry" || !parseEcrHost(source.reference.registry, environment)) return undefined;
  return parseRepositoryUri(`${source.reference.registry}/${source.reference.repository}`, environment);
}

/**
 * Returns every function in every region. Without `region`, it is the repository's.
 * @throws USAGE; FUNCTION_UNFIT if the function's ARN or AWS_REGION differs from the repository's
 * region
 */
export async function placesOf(
  options: DeployOptions,
  repository: RepositoryName | undefined,
  environment: Environment,
): Promise<readonly FunctionPlace[]> {
  const names = [...new Set([options.function].flat())].map(parseFunctionName);
  if (names.length === 0)
    throw new LambdaPackError("USAGE", "no function is given", { hint: "--function NAME" });
  const regions = [...new Set([options.region ?? []].flat())].map(checkRegion);
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

/** A function that exists, or that will be created. */
export interface Found {
  readonly place: FunctionPlace;
  readonly facts: FunctionFacts | undefined;
}

/**
 * Returns the repository for each region with functions.
 * @throws USAGE if several functions do not determine it
 */
export async function repositoriesFor(
  found: readonly Found[],
  options: DeployOptions,
  named: RepositoryName | undefined,
  environment: Environment,
): Promise<ReadonlyMap<string, RepositoryName>> {
  const repositories = new Map<string, RepositoryName>();
  for (const region of new Set(found.map(({ place }) => place.region))) {
    const there = found.filter(({ place }) => place.region === region);
    const name = options.repo ?? repositoryByFunction(there);
    repositories.set(
      region,
      named ? inRegion(named, region) : await parseRepositoryName(name, environment, region),
    );
  }
  return repositories;
}

/**
 * Returns the URI of a repository, without a tag. With `createRepo` it is created if missing;
 * otherwise a push may still create it (ECR's repository creation templates).
 */
export async function openRepository(
  api: AwsApi,
  repository: RepositoryName,
  { createRepo = false, dryRun = false, resourceTag = {} }: DeployOptions,
): Promise<string> {
  if (createRepo && !dryRun) {
    const { facts, created } = await ensureRepository(api, repository, { resourceTags: resourceTag });
    api.emit({ type: "repository-ready", uri: facts.uri, created });
    return isNamed(repository) ? repositoryUri(repository.accountId ?? "", repository) : facts.uri;
  }
  if (isNamed(repository)) return repositoryUri(repository.accountId ?? "", repository);
  const facts = await findRepository(api, repository);
  return facts?.uri ?? repositoryUri((await ownAccount(api, repository)) ?? "", repository);
}

/** Returns whether the user gave the registry and not only the repository's name. */
function isNamed({ accountId, emulator }: RepositoryName): boolean {
  return accountId !== undefined || emulator !== undefined;
}

/** Returns the repository of the functions' current images, else one with the function's name. */
function repositoryByFunction(found: readonly Found[]): string {
  const hidden = found.find(({ facts }) => facts && facts.imageUri === undefined);
  if (hidden) throw unknownRepository(hidden.place);
  const own = new Set(found.flatMap(({ facts }) => facts?.imageUri?.replace(/[:@][^/]*$/, "") ?? []));
  const names = own.size > 0 ? [...own] : [...new Set(found.map(({ place }) => repositoryNamed(place.name)))];
  const [only, ...more] = names;
  if (only !== undefined && more.length === 0) return only;
  throw new LambdaPackError(
    "USAGE",
    "there are several functions, and no repository is given for their image",
    {
      hint: "--repo NAME",
    },
  );
}

function unknownRepository({ name, region }: FunctionPlace): LambdaPackError {
  return new LambdaPackError(
    "AWS_REFUSED",
    `Lambda does not show the image of ${name} in ${region}, and so not the repository for the next one`,
    { hint: "name the repository: --repo NAME" },
  );
}

/** Returns a repository name like the function's, which can be invalid for a repository. */
function repositoryNamed(name: string): string {
  if (isRepositoryName(name)) return name;
  const near = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  return `lambda/${near || "function"}`;
}

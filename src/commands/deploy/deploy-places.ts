import type { AwsApi } from "../../aws/api.ts";
import {
  inRegion,
  isRepositoryName,
  parseEcrHost,
  parseRepositoryName,
  parseRepositoryUri,
  type RepositoryName,
  repositoryUri,
} from "../../aws/ecr/names.ts";
import { ensureRepository, findRepository, ownAccount } from "../../aws/ecr/repositories.ts";
import { checkSameRegion } from "../../aws/functions/deploy-function.ts";
import type { FunctionFacts } from "../../aws/functions/function-facts.ts";
import {
  type FunctionName,
  type FunctionPlace,
  parseFunctionName,
  placeIn,
} from "../../aws/functions/function-name.ts";
import { checkRegion, defaultRegion, environmentRegion } from "../../aws/regions.ts";
import { LambdaPackError, misuse } from "../../errors.ts";
import type { ImageLocation } from "../../session/image-location.ts";
import type { Environment } from "../../session/session.ts";
import type { DeployValues } from "./options.ts";

/** Returns the repository that the options or the source name; undefined if they name none. */
export function namedRepository(
  { repo }: DeployValues,
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
  { function: functions, region: given = [] }: DeployValues,
  repository: RepositoryName | undefined,
  environment: Environment,
): Promise<readonly FunctionPlace[]> {
  const names = [...new Set(functions)].map(parseFunctionName);
  if (names.length === 0) throw misuse("no function is given", "--function NAME");
  const regions = [...new Set(given)].map(checkRegion);
  if (regions.length > 0) return names.flatMap((name) => regions.map((region) => placeIn(name, region)));
  const places: FunctionPlace[] = [];
  for (const name of names) places.push(await placeAlone(name, repository, environment));
  return places;
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
  { repo }: Pick<DeployValues, "repo">,
  named: RepositoryName | undefined,
  environment: Environment,
): Promise<readonly RepositoryName[]> {
  const regions = [...new Set(found.map(({ place }) => place.region))];
  return Promise.all(
    regions.map((region) => {
      if (named) return inRegion(named, region);
      const name = repo ?? repositoryByFunction(found.filter(({ place }) => place.region === region));
      return parseRepositoryName(name, environment, region);
    }),
  );
}

/** The repository of one region. */
export interface RegionRepository {
  readonly name: RepositoryName;
  readonly region: string;
  /** As in references, without a tag. */
  readonly uri: string;
  /** Whether deploy creates it before the push. */
  readonly isMissing: boolean;
}

/**
 * Finds a repository and changes nothing. Without `createRepo`, a missing one is not an error: a push
 * may create it (ECR's repository creation templates).
 */
export async function findRegionRepository(
  api: AwsApi,
  name: RepositoryName,
  { createRepo, dryRun }: DeployValues,
): Promise<RegionRepository> {
  const creates = createRepo && !dryRun;
  const facts = creates || !isNamed(name) ? await findRepository(api, name) : undefined;
  if (facts && creates) api.emit({ type: "repository-ready", uri: facts.uri, created: false });
  const account = name.accountId ?? facts?.accountId ?? (await ownAccount(api, name)) ?? "";
  const uri = isNamed(name) || !facts ? repositoryUri(account, name) : facts.uri;
  return { name, region: name.region, uri, isMissing: creates && !facts };
}

/** Creates the repository if it is missing. Returns its URI. */
export async function ensureRegionRepository(
  api: AwsApi,
  { name, uri, isMissing }: RegionRepository,
  { resourceTag: resourceTags }: DeployValues,
): Promise<string> {
  if (!isMissing) return uri;
  const { facts, created } = await ensureRepository(api, name, { resourceTags });
  api.emit({ type: "repository-ready", uri: facts.uri, created });
  return isNamed(name) ? uri : facts.uri;
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
  throw misuse("there are several functions, and no repository is given for their image", "--repo NAME");
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

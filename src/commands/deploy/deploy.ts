import { mapConcurrent } from "../../async/concurrency.ts";
import { type Pacing, REAL_PACING } from "../../async/retry.ts";
import type { AwsApi } from "../../aws/api.ts";
import { lambdaUri, type RepositoryName } from "../../aws/ecr/names.ts";
import { deployFunction, planFunction, preflight } from "../../aws/functions/deploy-function.ts";
import type { FunctionPlace } from "../../aws/functions/function-name.ts";
import type { BuildEvent } from "../../events.ts";
import { formatPlatform } from "../../oci/platform.ts";
import type { ImageLocation } from "../../session/image-location.ts";
import { Session } from "../../session/session.ts";
import { withAws } from "../aws.ts";
import { readSessionOptions } from "../options/common.ts";
import { failedDeployment, throwFailures } from "./deploy-error.ts";
import {
  buildPlanOf,
  type ImageForLambda,
  imageFor,
  sendTo,
  sourceOf,
  warnOfUnusedOptions,
} from "./deploy-image.ts";
import {
  ensureRegionRepository,
  type Found,
  findRegionRepository,
  namedRepository,
  placesOf,
  type RegionRepository,
  repositoriesFor,
} from "./deploy-places.ts";
import { architectureFor, checkDeployOptions, desiredState, settingsOf } from "./desired-state.ts";
import {
  DEPLOY_OPTIONS,
  type Deployment,
  type DeployOptions,
  type DeployResult,
  type DeployValues,
} from "./options.ts";

/**
 * Lambda allows 15 control plane calls per second for an account in a region, and other tools use
 * them too.
 */
const FUNCTIONS_AT_ONCE = 8;
/** Each region receives the image with up to `jobs` blobs at once. */
const REGIONS_AT_ONCE = 6;

/**
 * Deploys a directory or an image to functions: builds, pushes to the repository of each region,
 * creates or updates each function by digest, waits until it is Active, publishes a version and
 * moves the alias. Six regions are deployed at once, and eight functions in each. What is already
 * up to date is not changed, so an interrupted run can be repeated.
 * @throws {@link LambdaPackError}; with several functions or regions `DeployError`, after all have
 * ended. A function whose update failed keeps running its previous code.
 */
export function deploy(options: DeployOptions): Promise<DeployResult> {
  return deployPaced(options, REAL_PACING);
}

/** Deploys like {@link deploy}, with the clock and waits of `pacing`. */
export async function deployPaced(options: DeployOptions, pacing: Pacing): Promise<DeployResult> {
  const { values, session: plan } = readSessionOptions("deploy", DEPLOY_OPTIONS, options);
  checkDeployOptions(values);
  const source = sourceOf(options);
  if (!source) buildPlanOf(options);
  return Session.run(plan, (session) => {
    const { environment, emit: onEvent, signal } = session;
    warnOfUnusedOptions(options, source, onEvent);
    return withAws(
      { environment, onEvent, signal },
      (api) => deployWith({ options, values, session, api, source }),
      pacing,
    );
  });
}

interface Deploy {
  readonly options: DeployOptions;
  readonly values: DeployValues;
  readonly session: Session;
  readonly api: AwsApi;
  /** undefined: a directory. */
  readonly source: ImageLocation | undefined;
}

async function deployWith(deploy: Deploy): Promise<DeployResult> {
  const { options, values, session, api, source } = deploy;
  const named = namedRepository(values, source, session.environment);
  const places = await placesOf(values, named, session.environment);
  const read = await mapConcurrent(places, { limit: FUNCTIONS_AT_ONCE }, (place) =>
    readFunction(api, place, values),
  );
  const found = read.flatMap((one) => ("how" in one ? [] : [one]));
  if (found.length === 0) return throwFailures(read.flatMap((one) => ("how" in one ? [one] : [])));

  const architecture = architectureFor(values, found);
  const names = await repositoriesFor(found, values, named, api.environment);
  const repositories = await findAll(api, names, values);
  const uris = repositories.flatMap((one) => ("error" in one || one.isMissing ? [] : [one.uri]));
  const made = await imageFor(options, source, architecture, uris, session);

  const regions = await mapConcurrent(repositories, { limit: REGIONS_AT_ONCE }, (repository) =>
    deployRegion(deploy, made, repository, found),
  );
  session.signal.throwIfAborted();
  const ended = new Map(regions.flatMap(({ deployments }) => deployments));
  const deployments = read.flatMap((one) => ("how" in one ? one : (ended.get(one) ?? [])));
  emitDone(api, deployments);
  const { digest } = made.image.manifest.descriptor;
  const platform = formatPlatform(made.image.settings);
  return { digest, platform, images: regions.flatMap(({ image }) => image ?? []), deployments };
}

interface DeployedRegion {
  /** The image by digest; undefined if the push failed. */
  readonly image?: string;
  readonly deployments: readonly (readonly [Found, Deployment])[];
}

/** Pushes the image to the region's repository, then updates the functions there. */
async function deployRegion(
  { values, session, api, source }: Deploy,
  { image, architecture }: ImageForLambda,
  repository: RegionRepository | Unknown,
  found: readonly Found[],
): Promise<DeployedRegion> {
  const there = found.filter(({ place }) => place.region === repository.region);
  const { digest } = image.manifest.descriptor;
  try {
    if ("error" in repository) throw repository.error;
    const sending = { session, pacing: api.pacing };
    const uri = await ensureRegionRepository(api, repository, values);
    const reference = await sendTo(uri, image, source, values, sending);
    const imageUri = lambdaUri(uri, digest, session.environment);
    const desired = desiredState(values, { imageUri, digest, architecture });
    const deployments = await mapConcurrent(there, { limit: FUNCTIONS_AT_ONCE }, async (one) => {
      const { place, facts } = one;
      const deploying = values.dryRun
        ? planFunction(api, place, desired, facts)
        : deployFunction(api, place, desired);
      return [one, await deploying.catch(failedDeployment(place))] as const;
    });
    return { image: reference, deployments };
  } catch (error) {
    return { deployments: there.map((one) => [one, failedDeployment(one.place)(error)] as const) };
  }
}

/** A region whose repository could not be read. */
interface Unknown {
  readonly region: string;
  readonly error: unknown;
}

/** Finds the repository of each region. @throws the first error if all of them failed */
async function findAll(
  api: AwsApi,
  names: readonly RepositoryName[],
  values: DeployValues,
): Promise<readonly (RegionRepository | Unknown)[]> {
  const found = await mapConcurrent(names, { limit: REGIONS_AT_ONCE }, async (name) => {
    try {
      return await findRegionRepository(api, name, values);
    } catch (error) {
      return { region: name.region, error };
    }
  });
  const [first] = found;
  if (first && "error" in first && found.every((one) => "error" in one)) throw first.error;
  return found;
}

async function readFunction(
  api: AwsApi,
  place: FunctionPlace,
  values: DeployValues,
): Promise<Found | Deployment> {
  try {
    return { place, facts: await preflight(api, place, settingsOf(values)) };
  } catch (error) {
    return failedDeployment(place)(error);
  }
}

type Done = Extract<BuildEvent, { type: "function-done" }>;

/**
 * Emits an event for each deployment. A single function that failed has none, because its error
 * says the same.
 * @throws what {@link throwFailures} throws, if a deployment failed
 */
function emitDone(api: AwsApi, deployments: readonly Deployment[]): void {
  const fails = deployments.some(({ how }) => how === "failed");
  for (const deployment of fails && deployments.length === 1 ? [] : deployments) {
    const { function: name, region, how } = deployment;
    api.emit({ type: "function-done", function: name, region, how, ...outcome(deployment) });
  }
  if (fails) throwFailures(deployments);
}

function outcome(deployment: Deployment): Pick<Done, "text" | "version" | "steps" | "code"> {
  if (deployment.how === "failed") return { text: deployment.error.message, code: deployment.error.code };
  const { arn, version, steps } = deployment;
  return { text: arn, steps: steps.length, ...(version !== "$LATEST" && { version }) };
}

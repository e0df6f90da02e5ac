import type { AwsApi } from "../aws/api.ts";
import { deployFunction } from "../aws/deploy-function.ts";
import type { DeployWish } from "../aws/deploying.ts";
import type { FunctionPlace } from "../aws/function-name.ts";
import { planFunction } from "../aws/plan-function.ts";
import { preflight } from "../aws/preflight.ts";
import type { RepositoryName } from "../aws/repository-name.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { Pacing } from "../registry/pacing.ts";
import { Session } from "../story/session.ts";
import type { Deployment, DeployOptions, DeployResult } from "./aws-options.ts";
import { withAws } from "./aws-session.ts";
import { failedDeployment, throwFailures } from "./deploy-error.ts";
import { imageFor, sendTo, sourceOf } from "./deploy-image.ts";
import { type Found, namedRepository, openRepository, placesOf, repositoriesFor } from "./deploy-places.ts";
import { architectureFor, checkDeployOptions, wishOf } from "./deploy-wish.ts";

/**
 * From a folder or an image to functions that run it: build, push to the repository of each region, create or update each function by digest,
 * wait until it is Active, publish, move the alias. What is so already is not touched; a run that was interrupted is finished by the next.
 * @throws {@link LambdaPackError}; with several functions or regions `DeployError`, after all of them have ended. A function whose update failed
 * serves what it served before.
 */
export async function deploy(options: DeployOptions, pacing?: Pacing): Promise<DeployResult> {
  checkDeployOptions(options);
  return Session.run(options, (session) => {
    const { environment, emit: onEvent, signal } = session;
    return withAws({ environment, onEvent, signal }, pacing, (api) => deployWith(options, session, api));
  });
}

async function deployWith(options: DeployOptions, session: Session, api: AwsApi): Promise<DeployResult> {
  const source = sourceOf(options);
  const named = namedRepository(options, source);
  const places = await placesOf(options, named, session.environment);
  const looked = await Promise.all(places.map((place) => look(api, place, options)));
  const found = looked.flatMap((one) => ("how" in one ? [] : [one]));
  if (found.length === 0) return throwFailures(looked.flatMap((one) => ("how" in one ? [one] : [])));

  const architecture = architectureFor(options, found);
  const repositories = await openAll(
    api,
    await repositoriesFor(found, options, named, api.environment),
    options,
  );
  const uris = repositories.flatMap((one) => ("uri" in one ? [one.uri] : []));
  const made = await imageFor(options, source, architecture, uris, session);
  const send = async (one: Opened) => {
    if ("error" in one) throw one.error;
    return sendTo(one.uri, made.image, source, options, session);
  };
  const images = new Map(repositories.map((one) => [one.region, send(one)]));

  const { digest } = made.image.manifest.descriptor;
  const deployOne = async (one: Found) => {
    const imageUri = (await images.get(one.place.region)) ?? "";
    const wish = wishOf(options, { imageUri, digest, architecture: made.architecture });
    return deployTo(api, one, wish, options);
  };
  const deployments = await Promise.all(
    looked.map((one) => ("how" in one ? one : deployOne(one).catch(failedDeployment(one.place)))),
  );
  session.signal.throwIfAborted();
  tellDone(api, deployments);
  const platform = formatPlatform(made.image.settings);
  return { digest, platform, images: await Promise.all(images.values()), deployments };
}

/** The repository of a region, or why there is none. */
type Opened =
  | { readonly region: string; readonly uri: string }
  | { readonly region: string; readonly error: unknown };

/** @throws the first failure where no repository can be had at all. */
async function openAll(
  api: AwsApi,
  repositories: ReadonlyMap<string, RepositoryName>,
  options: DeployOptions,
): Promise<readonly Opened[]> {
  const opening = [...repositories].map(async ([region, repository]): Promise<Opened> => {
    try {
      return { region, uri: await openRepository(api, repository, options) };
    } catch (error) {
      return { region, error };
    }
  });
  const opened = await Promise.all(opening);
  const [first] = opened;
  if (first && "error" in first && opened.every((one) => "error" in one)) throw first.error;
  return opened;
}

async function look(api: AwsApi, place: FunctionPlace, options: DeployOptions): Promise<Found | Deployment> {
  try {
    return { place, facts: await preflight(api, place, options) };
  } catch (error) {
    return failedDeployment(place)(error);
  }
}

async function deployTo(
  api: AwsApi,
  { place, facts }: Found,
  wish: DeployWish,
  { dryRun }: DeployOptions,
): Promise<Deployment> {
  if (!dryRun) return deployFunction(api, place, wish);
  const steps = await planFunction(api, place, wish, facts);
  return {
    function: place.name,
    region: place.region,
    how: "planned",
    arn: facts?.arn ?? place.name,
    version: facts?.version ?? "$LATEST",
    digest: wish.digest,
    state: facts?.state.value ?? "none",
    steps,
  };
}

/** One line for each. @throws what {@link throwFailures} throws, when one has failed; the error of a lone function says it all. */
function tellDone(api: AwsApi, deployments: readonly Deployment[]): void {
  const fails = deployments.some(({ how }) => how === "failed");
  for (const deployment of fails && deployments.length === 1 ? [] : deployments) {
    const { function: name, region, how } = deployment;
    const text = deployment.how === "failed" ? deployment.error.message : deployment.arn;
    api.emit({ type: "function-done", function: name, region, how, text });
  }
  if (fails) throwFailures(deployments);
}

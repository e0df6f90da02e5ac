import { isDeepStrictEqual } from "node:util";
import type { AliasConfiguration } from "@aws-sdk/client-lambda";
import { type AwsApi, allPages } from "../api.ts";
import { incomplete, undefinedOn } from "../refusals.ts";
import { type DeployContext, type DesiredAlias, recordStep, retryOnConflict } from "./deploy-context.ts";
import { type FunctionFacts, factsOf } from "./function-facts.ts";
import { type FunctionPlace, formatPlace, functionId } from "./function-name.ts";
import { failed } from "./states.ts";
import { waitUntilSettled } from "./wait.ts";

/** Lists the published versions, the oldest first. */
export async function listVersions(api: AwsApi, place: FunctionPlace): Promise<readonly FunctionFacts[]> {
  const FunctionName = functionId(place);
  const found = await allPages(`the versions of ${formatPlace(place)}`, "Versions", (Marker, what) =>
    api.lambda(place.region, "ListVersionsByFunction", { FunctionName, Marker }, what),
  );
  return found
    .map((Configuration) => factsOf({ Configuration }))
    .filter(({ version }) => version !== "$LATEST")
    .sort((a, b) => Number(a.version) - Number(b.version));
}

export interface AliasFacts {
  readonly name: string;
  readonly version: string;
  /** Other versions, and the share of calls that each gets, 0 to 1. */
  readonly weights: Readonly<Record<string, number>>;
  readonly revisionId?: string | undefined;
}

export async function listAliases(api: AwsApi, place: FunctionPlace): Promise<readonly AliasFacts[]> {
  const FunctionName = functionId(place);
  const found = await allPages(`the aliases of ${formatPlace(place)}`, "Aliases", (Marker, what) =>
    api.lambda(place.region, "ListAliases", { FunctionName, Marker }, what),
  );
  return found.map(aliasOf);
}

function aliasOf(found: AliasConfiguration): AliasFacts {
  return {
    name: found.Name ?? "",
    version: found.FunctionVersion ?? "",
    weights: found.RoutingConfig?.AdditionalVersionWeights ?? {},
    revisionId: found.RevisionId,
  };
}

/** Returns the newest version if it equals `$LATEST`: Lambda would not publish another one. */
export function publishedAs(
  latest: FunctionFacts,
  versions: readonly FunctionFacts[],
): FunctionFacts | undefined {
  const newest = versions.at(-1);
  if (!newest || newest.codeSha256 !== latest.codeSha256) return undefined;
  // Settings that cannot be read are not known to be equal.
  const unknown = [latest, newest].flatMap(({ unreadable }) => unreadable);
  if (unknown.some(({ part }) => part !== "tags" && part !== "code")) return undefined;
  return isDeepStrictEqual(published(newest), published(latest)) ? newest : undefined;
}

/** Returns what a version has in common with `$LATEST`: all but its own description. */
function published({ architecture, settings, others: { Description: _, ...others } }: FunctionFacts) {
  return { architecture, settings, others };
}

/**
 * Publishes `$LATEST`, unless the newest version equals it, and waits until the version is Active.
 * @throws FUNCTION_FAILED.
 */
export async function publishVersion(context: DeployContext): Promise<FunctionFacts> {
  const { api, place } = context;
  const version = await retryOnConflict(context, async (latest) => {
    const found = publishedAs(latest, await listVersions(api, place));
    return found?.version ?? (await publish(context, latest));
  });
  const facts = await waitUntilSettled(api, place, version);
  if (facts.state.value === "Failed") throw failed(place, facts);
  return facts;
}

async function publish(context: DeployContext, { codeSha256, revisionId }: FunctionFacts): Promise<string> {
  const { api, place } = context;
  recordStep(context, "publish a version");
  const what = `publish a version of ${formatPlace(place)}`;
  const input = { FunctionName: functionId(place), CodeSha256: codeSha256, RevisionId: revisionId };
  const made = await api.lambda(place.region, "PublishVersion", input, what);
  if (!made.Version) throw incomplete(`the version published of ${formatPlace(place)}`, "Version");
  return made.Version;
}

interface AliasPlan {
  readonly what: string;
  readonly current: AliasFacts | undefined;
  readonly version: string;
  readonly weights: Readonly<Record<string, number>>;
}

/** Returns how an alias has to change; undefined if it is in the desired state. */
export function planAlias(
  { name, weight }: DesiredAlias,
  version: string,
  current: AliasFacts | undefined,
): AliasPlan | undefined {
  // A new alias has no previous version, so the new version gets all calls.
  if (!current)
    return { what: `create the alias ${name} for version ${version}`, current, version, weights: {} };
  const isShift = weight !== undefined && current.version !== version;
  const wanted = isShift
    ? { version: current.version, weights: { [version]: weight } }
    : { version, weights: {} };
  if (current.version === wanted.version && isDeepStrictEqual(current.weights, wanted.weights))
    return undefined;
  const what = isShift
    ? `shift ${Math.round(weight * 1000) / 10} % of the alias ${name} from version ${current.version} to ${version}`
    : `move the alias ${name} from version ${current.version} to ${version}`;
  return { what, current, ...wanted };
}

/** Reads an alias; undefined if it does not exist. */
export async function findAlias(
  api: AwsApi,
  place: FunctionPlace,
  name: string,
): Promise<AliasFacts | undefined> {
  const what = `read the alias ${name} of ${formatPlace(place)}`;
  const input = { FunctionName: functionId(place), Name: name };
  const found = await api
    .lambda(place.region, "GetAlias", input, what)
    .catch(undefinedOn("ResourceNotFoundException"));
  // An alias of unknown version must not be moved.
  if (found && !found.FunctionVersion)
    throw incomplete(`the alias ${name} of ${formatPlace(place)}`, "FunctionVersion");
  return found && aliasOf(found);
}

/** Changes an alias. @throws FUNCTION_BUSY if another deploy has changed it since it was read. */
export async function applyAlias(context: DeployContext, name: string, plan: AliasPlan): Promise<void> {
  const { api, place } = context;
  const { current, version, weights } = plan;
  recordStep(context, plan.what);
  const input = { FunctionName: functionId(place), Name: name, FunctionVersion: version };
  if (!current) {
    await api.lambda(place.region, "CreateAlias", input, plan.what);
    return;
  }
  const update = {
    ...input,
    RoutingConfig: { AdditionalVersionWeights: { ...weights } },
    RevisionId: current.revisionId,
  };
  await api.lambda(place.region, "UpdateAlias", update, plan.what);
}

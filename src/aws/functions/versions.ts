import { isDeepStrictEqual } from "node:util";
import type { AwsApi } from "../api.ts";
import { allPages } from "../pages.ts";
import { incomplete } from "../refusals.ts";
import { type Deploying, onSettled, step } from "./deploying.ts";
import { type FunctionFacts, factsOf } from "./function-facts.ts";
import { type FunctionPlace, formatPlace, functionId } from "./function-name.ts";
import { failed } from "./states.ts";
import { settled } from "./wait.ts";

/** All published versions, the oldest first. */
export async function listVersions(api: AwsApi, place: FunctionPlace): Promise<readonly FunctionFacts[]> {
  const call = {
    what: `list the versions of ${formatPlace(place)}`,
    action: "lambda:ListVersionsByFunction",
  };
  const found = await allPages((marker) =>
    api.lambda(place.region, call, async (client, sdk, options) => {
      const input = { FunctionName: functionId(place), ...(marker !== undefined && { Marker: marker }) };
      const page = await client.send(new sdk.ListVersionsByFunctionCommand(input), options);
      return { items: page.Versions, next: page.NextMarker };
    }),
  );
  return found
    .map((Configuration) => factsOf({ Configuration }))
    .filter(({ version }) => version !== "$LATEST")
    .sort((a, b) => Number(a.version) - Number(b.version));
}

export interface AliasFacts {
  readonly name: string;
  readonly version: string;
  /** Other versions and their part of the calls, 0 to 1. */
  readonly weights: Readonly<Record<string, number>>;
  readonly revisionId?: string | undefined;
}

export async function listAliases(api: AwsApi, place: FunctionPlace): Promise<readonly AliasFacts[]> {
  const call = { what: `list the aliases of ${formatPlace(place)}`, action: "lambda:ListAliases" };
  const found = await allPages((marker) =>
    api.lambda(place.region, call, async (client, sdk, options) => {
      const input = { FunctionName: functionId(place), ...(marker !== undefined && { Marker: marker }) };
      const page = await client.send(new sdk.ListAliasesCommand(input), options);
      return { items: page.Aliases, next: page.NextMarker };
    }),
  );
  return found.map(aliasOf);
}

export function aliasOf(found: {
  readonly Name?: string | undefined;
  readonly FunctionVersion?: string | undefined;
  readonly RevisionId?: string | undefined;
  readonly RoutingConfig?:
    | { readonly AdditionalVersionWeights?: Record<string, number> | undefined }
    | undefined;
}): AliasFacts {
  return {
    name: found.Name ?? "",
    version: found.FunctionVersion ?? "",
    weights: found.RoutingConfig?.AdditionalVersionWeights ?? {},
    revisionId: found.RevisionId,
  };
}

/** The newest version, where it is known to be what `$LATEST` is: then Lambda would publish no other. */
export function publishedAs(
  latest: FunctionFacts,
  versions: readonly FunctionFacts[],
): FunctionFacts | undefined {
  const newest = versions.at(-1);
  if (!newest || newest.codeSha256 !== latest.codeSha256) return undefined;
  // Two sets of variables that cannot be read are not known to be the same.
  if ([latest, newest].some(hasUnknownSettings)) return undefined;
  return isDeepStrictEqual(published(newest), published(latest)) ? newest : undefined;
}

function hasUnknownSettings({ unreadable }: FunctionFacts): boolean {
  return unreadable.some(({ part }) => part !== "tags" && part !== "code");
}

/** What a version fixes. Its description is its own. */
function published({ architecture, settings, others: { Description: _, ...others } }: FunctionFacts) {
  return { architecture, settings, others };
}

/** Afterwards there is a version of the function as `$LATEST` is, and it is Active. @throws FUNCTION_FAILED. */
export async function publishVersion(deploying: Deploying): Promise<FunctionFacts> {
  const { api, place } = deploying;
  const version = await onSettled(deploying, async (latest) => {
    const found = publishedAs(latest, await listVersions(api, place));
    return found?.version ?? (await publish(deploying, latest));
  });
  const facts = await settled(api, place, version);
  if (facts.state.value === "Failed") throw failed(place, facts);
  return facts;
}

async function publish(deploying: Deploying, { codeSha256, revisionId }: FunctionFacts): Promise<string> {
  const { api, place } = deploying;
  step(deploying, "publish a version");
  const call = { what: `publish a version of ${formatPlace(place)}`, action: "lambda:PublishVersion" };
  const made = await api.lambda(place.region, call, (client, sdk, options) =>
    client.send(
      new sdk.PublishVersionCommand({
        FunctionName: functionId(place),
        CodeSha256: codeSha256,
        ...(revisionId !== undefined && { RevisionId: revisionId }),
      }),
      options,
    ),
  );
  if (!made.Version) throw incomplete(`the version published of ${formatPlace(place)}`, "Version");
  return made.Version;
}

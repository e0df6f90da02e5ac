import { isDeepStrictEqual } from "node:util";
import type { AwsApi } from "../api.ts";
import { incomplete, unless } from "../refusals.ts";
import { type AliasWish, type Deploying, step } from "./deploying.ts";
import { type FunctionPlace, formatPlace, functionId } from "./function-name.ts";
import { type AliasFacts, aliasOf } from "./versions.ts";

/** What is to be done so that an alias is as it shall be. */
export interface AliasPlan {
  readonly what: string;
  readonly current: AliasFacts | undefined;
  readonly version: string;
  readonly weights: Readonly<Record<string, number>>;
}

/** undefined: the alias is there and as it shall be. */
export function planAlias(
  { name, weight }: AliasWish,
  version: string,
  current: AliasFacts | undefined,
): AliasPlan | undefined {
  // Where there is nothing before it, the new version gets all of the calls.
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

/** undefined: there is none. */
export async function findAlias(
  api: AwsApi,
  place: FunctionPlace,
  name: string,
): Promise<AliasFacts | undefined> {
  const call = { what: `tell about the alias ${name} of ${formatPlace(place)}`, action: "lambda:GetAlias" };
  const found = await api.lambda(place.region, call, (client, sdk, options) =>
    client
      .send(new sdk.GetAliasCommand({ FunctionName: functionId(place), Name: name }), options)
      .catch(unless("ResourceNotFoundException", undefined)),
  );
  // Without its version the alias would be moved as if it named none.
  if (found && !found.FunctionVersion)
    throw incomplete(`the alias ${name} of ${formatPlace(place)}`, "FunctionVersion");
  return found && aliasOf(found);
}

/** @throws FUNCTION_BUSY when somebody else has made or changed the alias since it was read. */
export async function applyAlias(deploying: Deploying, name: string, plan: AliasPlan): Promise<void> {
  const { api, place } = deploying;
  const { current, version, weights } = plan;
  step(deploying, plan.what);
  const input = { FunctionName: functionId(place), Name: name, FunctionVersion: version };
  if (!current) {
    const call = { what: plan.what, action: "lambda:CreateAlias" };
    await api.lambda(place.region, call, (client, sdk, options) =>
      client.send(new sdk.CreateAliasCommand(input), options),
    );
    return;
  }
  const call = { what: plan.what, action: "lambda:UpdateAlias" };
  await api.lambda(place.region, call, (client, sdk, options) =>
    client.send(
      new sdk.UpdateAliasCommand({
        ...input,
        RoutingConfig: { AdditionalVersionWeights: { ...weights } },
        ...(current.revisionId !== undefined && { RevisionId: current.revisionId }),
      }),
      options,
    ),
  );
}

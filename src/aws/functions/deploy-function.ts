import type { Digest } from "../../oci/digest.ts";
import type { AwsApi } from "../api.ts";
import { applyAlias, findAlias, planAlias } from "./aliases.ts";
import {
  addTags,
  changeCode,
  changeSettings,
  isLive,
  missingSettings,
  missingTags,
} from "./change-function.ts";
import { type AliasWish, type Deploying, type DeployWish, onSettled } from "./deploying.ts";
import type { FunctionFacts } from "./function-facts.ts";
import { type FunctionPlace, formatPlace } from "./function-name.ts";
import { findFunction } from "./functions.ts";
import { makeFunction } from "./make-function.ts";
import { formatState } from "./states.ts";
import { publishVersion } from "./versions.ts";
import { settled } from "./wait.ts";
import { warm } from "./warm.ts";

/** What came of one function. */
export interface Deployed {
  readonly function: string;
  readonly region: string;
  /** Of the version where one is published, else of the function. */
  readonly arn: string;
  readonly version: string;
  readonly digest: Digest;
  readonly state: string;
  readonly how: "created" | "updated" | "unchanged";
  /** What was changed, in order. */
  readonly steps: readonly string[];
}

/**
 * Afterwards the function exists, runs the image, has the settings, and the version and alias that are wished for. What is so already is not touched;
 * a run that was interrupted is finished by the next one.
 * @throws FUNCTION_FAILED, FUNCTION_BUSY, FUNCTION_NOT_FOUND, AWS_REFUSED, DENIED, CREDENTIALS_INVALID.
 */
export async function deployFunction(api: AwsApi, place: FunctionPlace, wish: DeployWish): Promise<Deployed> {
  const deploying: Deploying = { api, place, wish, steps: [] };
  try {
    return await deployed(deploying);
  } catch (error) {
    if (api.signal?.aborted) sayWhatGoesOn(deploying);
    throw error;
  }
}

async function deployed(deploying: Deploying): Promise<Deployed> {
  const { place, wish, steps } = deploying;
  const latest = await latestOf(deploying);
  const publishes = wish.publish || wish.alias !== undefined;
  const facts = publishes ? await publishVersion(deploying) : latest;
  if (wish.alias) await bringAlias(deploying, facts.version, wish.alias);
  else if (wish.warm && steps.length > 0) await warm(deploying, facts.version);
  const isNew = steps.includes("create the function");
  return {
    function: place.name,
    region: place.region,
    arn: facts.arn,
    version: facts.version,
    digest: wish.digest,
    state: formatState(facts),
    how: isNew ? "created" : steps.length > 0 ? "updated" : "unchanged",
    steps,
  };
}

/** `$LATEST` once it is as wished. */
async function latestOf(deploying: Deploying): Promise<FunctionFacts> {
  const { api, place, wish } = deploying;
  const found = await findFunction(api, place);
  let facts = found ? await settled(api, place) : await makeFunction(deploying);
  if (!isLive(facts, wish)) facts = await changeCode(deploying);
  if (missingSettings(place, facts, wish)) facts = await changeSettings(deploying);
  if (missingTags(facts, wish)) facts = await addTags(deploying, facts);
  return facts;
}

async function bringAlias(deploying: Deploying, version: string, alias: AliasWish): Promise<void> {
  const { api, place, wish } = deploying;
  const isMoving = planAlias(alias, version, await findAlias(api, place, alias.name)) !== undefined;
  if (isMoving && wish.warm) await warm(deploying, version);
  if (!isMoving) return;
  await onSettled(deploying, async () => {
    const plan = planAlias(alias, version, await findAlias(api, place, alias.name));
    if (plan) await applyAlias(deploying, alias.name, plan);
  });
}

function sayWhatGoesOn({ api, place, steps }: Deploying): void {
  const last = steps.at(-1);
  if (last === undefined) return;
  api.emit({
    type: "warning",
    message: `${formatPlace(place)}: AWS was told to ${last}, and goes on with it by itself`,
    hint: `lambda-pack status ${place.name} --region ${place.region} --wait shows how it ends; the same deploy again finishes the rest`,
  });
}

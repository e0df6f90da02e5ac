import { hexOf } from "../../oci/digest.ts";
import type { AwsApi } from "../api.ts";
import { findAlias, planAlias } from "./aliases.ts";
import { isLive, missingSettings, missingTags, tagStep } from "./change-function.ts";
import type { DeployWish } from "./deploying.ts";
import type { FunctionFacts } from "./function-facts.ts";
import type { FunctionPlace } from "./function-name.ts";
import { lostParts, namesOf } from "./unreadable.ts";
import { listVersions, publishedAs } from "./versions.ts";
import { callStep } from "./warm.ts";

/** What a deploy would change, in order; nothing is changed. */
export async function planFunction(
  api: AwsApi,
  place: FunctionPlace,
  wish: DeployWish,
  found: FunctionFacts | undefined,
): Promise<readonly string[]> {
  const steps = latestSteps(place, wish, found);
  if (wish.publish || wish.alias) steps.push(...(await versionSteps(api, place, wish, found)));
  else if (wish.warm && steps.length > 0) steps.push(callStep("$LATEST"));
  for (const what of steps)
    api.emit({ type: "function-step", function: place.name, region: place.region, what, planned: true });
  return steps;
}

function latestSteps(place: FunctionPlace, wish: DeployWish, found: FunctionFacts | undefined): string[] {
  if (!found) return ["create the function"];
  const missing = missingSettings(place, found, wish);
  const tags = missingTags(found, wish);
  return [
    ...(isLive(found, wish) ? [] : [codeStep(found, wish)]),
    ...(missing ? [`update the configuration (${Object.keys(missing).join(", ")})`] : []),
    ...(tags ? [tagStep(tags)] : []),
  ];
}

/** Only an update shows whether Lambda still takes code for a function that is Failed. */
function codeStep(found: FunctionFacts, wish: DeployWish): string {
  if (found.state.value !== "Failed") return "update the code";
  const lost = lostParts(found, wish.settings);
  return lost.length === 0
    ? "update the code, or where Lambda does not take it any more, delete the function and create it again"
    : `update the code, or where Lambda does not take it any more, stop: the function cannot be created again without its ${namesOf(lost)}, which cannot be read`;
}

async function versionSteps(
  api: AwsApi,
  place: FunctionPlace,
  wish: DeployWish,
  found: FunctionFacts | undefined,
): Promise<readonly string[]> {
  const { alias, warm } = wish;
  const versions = found ? await listVersions(api, place) : [];
  const same = found && publishedAs(asWished(place, found, wish), versions);
  const version = same?.version ?? String(Number(versions.at(-1)?.version ?? 0) + 1);
  const move = alias && planAlias(alias, version, found && (await findAlias(api, place, alias.name)));
  const publishing = same ? [] : ["publish a version"];
  const moving = move ? [move.what] : [];
  const warming = warm && publishing.length + moving.length > 0 ? [callStep(version)] : [];
  return [...publishing, ...warming, ...moving];
}

/** The function as it will be. */
function asWished(place: FunctionPlace, found: FunctionFacts, wish: DeployWish): FunctionFacts {
  const { digest, architecture } = wish;
  const settings = { ...found.settings, ...missingSettings(place, found, wish) };
  return { ...found, digest, codeSha256: hexOf(digest), architecture, settings };
}

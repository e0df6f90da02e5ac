import { isDeepStrictEqual } from "node:util";
import { causedBy } from "../refusals.ts";
import { recreateFunction } from "./create-function.ts";
import { type DeployContext, type DesiredFunction, onSettled, recordStep } from "./deploy-context.ts";
import { type FunctionFacts, type FunctionSettings, withoutDefaults } from "./function-facts.ts";
import { type FunctionPlace, formatPlace } from "./function-name.ts";
import { tagFunction, updateCode, updateSettings } from "./functions.ts";
import { failed } from "./states.ts";
import { checkAddable } from "./unreadable.ts";
import { settled, untilPropagated } from "./wait.ts";

/**
 * Returns whether the function runs this image. A Failed or Inactive function does not, even if it
 * names the image; an update with the same image activates it.
 */
export function isLive({ digest, state, lastUpdate }: FunctionFacts, desired: DesiredFunction): boolean {
  return (
    digest === desired.digest &&
    !["Failed", "Inactive"].includes(state.value) &&
    lastUpdate.value !== "Failed"
  );
}

/** Updates the function to the image. @throws FUNCTION_FAILED: it still runs the previous image. */
export async function changeCode(context: DeployContext): Promise<FunctionFacts> {
  const { api, place, desired } = context;
  return onSettled(context, async (facts) => {
    if (isLive(facts, desired)) return facts;
    recordStep(context, "update the code");
    const { imageUri, architecture } = desired;
    const { revisionId } = facts;
    const moves = architecture !== facts.architecture;
    try {
      await untilPropagated(api, `update the code of ${formatPlace(place)}`, () =>
        updateCode(api, place, { imageUri, revisionId, ...(moves && { architecture }) }),
      );
    } catch (error) {
      if (facts.state.value === "Failed" && isForGood(error)) return recreateFunction(context, facts);
      throw error;
    }
    return ended(context, facts);
  });
}

/**
 * Returns whether Lambda refuses new code because of the function's state and not because of
 * another running change.
 */
function isForGood(error: unknown): boolean {
  return causedBy(error, "ResourceConflictException") && !/in progress/i.test(error.message);
}

/**
 * Returns the desired settings that the function lacks, each with the complete value for the API;
 * undefined if it has all.
 * @throws DENIED or AWS_REFUSED where settings to which the deploy adds cannot be read.
 */
export function missingSettings(
  place: FunctionPlace,
  facts: FunctionFacts,
  desired: DesiredFunction,
): Partial<FunctionSettings> | undefined {
  checkAddable(place, facts, desired.settings);
  const { settings } = facts;
  const { env, image } = desired.settings;
  const whole: Partial<FunctionSettings> = {
    ...desired.settings,
    ...(env && { env: { ...settings.env, ...env } }),
    ...(image && { image: withoutDefaults({ ...settings.image, ...image }, desired.imageDefaults) }),
  };
  const missing = Object.entries(whole).filter(
    ([name, value]) => !isDeepStrictEqual(value, settings[name as keyof FunctionSettings]),
  );
  return missing.length === 0 ? undefined : Object.fromEntries(missing);
}

/** Returns the desired AWS tags that the function lacks; undefined if it has all. */
export function missingTags(
  { tags }: FunctionFacts,
  { resourceTags = {} }: DesiredFunction,
): Readonly<Record<string, string>> | undefined {
  const missing = Object.entries(resourceTags).filter(([name, value]) => tags[name] !== value);
  return missing.length === 0 ? undefined : Object.fromEntries(missing);
}

/** Adds the desired tags to the function; its other tags stay. */
export async function addTags(context: DeployContext, { arn }: FunctionFacts): Promise<FunctionFacts> {
  const { api, place, desired } = context;
  return onSettled(context, async (facts) => {
    const missing = missingTags(facts, desired);
    if (!missing) return facts;
    recordStep(context, tagStep(missing));
    await tagFunction(api, place, arn, missing);
    return settled(api, place);
  });
}

export function tagStep(tags: Readonly<Record<string, string>>): string {
  return `add the tags (${Object.keys(tags).join(", ")})`;
}

/** Changes the settings that differ from the desired ones. */
export async function changeSettings(context: DeployContext): Promise<FunctionFacts> {
  const { api, place, desired } = context;
  return onSettled(context, async (facts) => {
    const missing = missingSettings(place, facts, desired);
    if (!missing) return facts;
    recordStep(context, `update the configuration (${Object.keys(missing).join(", ")})`);
    await untilPropagated(api, `update the configuration of ${formatPlace(place)}`, () =>
      updateSettings(api, place, missing, facts.revisionId),
    );
    return ended(context, facts);
  });
}

async function ended({ api, place }: DeployContext, before: FunctionFacts): Promise<FunctionFacts> {
  const facts = await settled(api, place);
  if (facts.state.value === "Failed") throw failed(place, facts);
  if (facts.lastUpdate.value === "Failed")
    throw failed(place, { ...facts, ...(before.digest && { digest: before.digest }) });
  return facts;
}

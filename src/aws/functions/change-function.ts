import { isDeepStrictEqual } from "node:util";
import { LambdaPackError } from "../../errors.ts";
import { isNamed } from "../refusals.ts";
import { type Deploying, type DeployWish, onSettled, step } from "./deploying.ts";
import { type FunctionFacts, type FunctionSettings, withoutDefaults } from "./function-facts.ts";
import { type FunctionPlace, formatPlace } from "./function-name.ts";
import { tagFunction, updateCode, updateSettings } from "./functions.ts";
import { untilPropagated } from "./propagation.ts";
import { remakeFunction } from "./remake-function.ts";
import { failed } from "./states.ts";
import { checkAddable } from "./unreadable.ts";
import { settled } from "./wait.ts";

/** Whether the function runs this image already. One that failed or is idle names it and does not; the same code again brings it back. */
export function isLive({ digest, state, lastUpdate }: FunctionFacts, wish: DeployWish): boolean {
  return (
    digest === wish.digest && !["Failed", "Inactive"].includes(state.value) && lastUpdate.value !== "Failed"
  );
}

/** Afterwards the function runs the image. @throws FUNCTION_FAILED: it runs what it ran before. */
export async function changeCode(deploying: Deploying): Promise<FunctionFacts> {
  const { api, place, wish } = deploying;
  return onSettled(deploying, async (facts) => {
    if (isLive(facts, wish)) return facts;
    step(deploying, "update the code");
    const { imageUri, architecture } = wish;
    const { revisionId } = facts;
    const moves = architecture !== facts.architecture;
    try {
      await untilPropagated(api, `update the code of ${formatPlace(place)}`, () =>
        updateCode(api, place, { imageUri, revisionId, ...(moves && { architecture }) }),
      );
    } catch (error) {
      if (facts.state.value === "Failed" && isForGood(error)) return remakeFunction(deploying, facts);
      throw error;
    }
    return ended(deploying, facts);
  });
}

/** Whether Lambda takes no code for the function because of its state, and not because somebody else is changing it. */
function isForGood(error: unknown): boolean {
  if (!(error instanceof LambdaPackError) || !isNamed(error.cause, "ResourceConflictException")) return false;
  return !/in progress/i.test(error.message);
}

/**
 * What of the wish the function does not have yet, each whole as the API takes it; undefined: nothing.
 * @throws DENIED or AWS_REFUSED where the wish adds to settings that cannot be read.
 */
export function missingSettings(
  place: FunctionPlace,
  facts: FunctionFacts,
  wish: DeployWish,
): Partial<FunctionSettings> | undefined {
  checkAddable(place, facts, wish.settings);
  const { settings } = facts;
  const { env, image } = wish.settings;
  const whole: Partial<FunctionSettings> = {
    ...wish.settings,
    ...(env && { env: { ...settings.env, ...env } }),
    ...(image && { image: withoutDefaults({ ...settings.image, ...image }, wish.imageDefaults) }),
  };
  const missing = Object.entries(whole).filter(
    ([name, value]) => !isDeepStrictEqual(value, settings[name as keyof FunctionSettings]),
  );
  return missing.length === 0 ? undefined : Object.fromEntries(missing);
}

/** AWS's own tags of the wish that the function does not have; undefined where it has them all. */
export function missingTags(
  { tags }: FunctionFacts,
  { resourceTags = {} }: DeployWish,
): Readonly<Record<string, string>> | undefined {
  const missing = Object.entries(resourceTags).filter(([name, value]) => tags[name] !== value);
  return missing.length === 0 ? undefined : Object.fromEntries(missing);
}

/** Adds the tags of the wish to the function; its other tags stay. */
export async function addTags(deploying: Deploying, { arn }: FunctionFacts): Promise<FunctionFacts> {
  const { api, place, wish } = deploying;
  return onSettled(deploying, async (facts) => {
    const missing = missingTags(facts, wish);
    if (!missing) return facts;
    step(deploying, tagStep(missing));
    await tagFunction(api, place, arn, missing);
    return settled(api, place);
  });
}

export function tagStep(tags: Readonly<Record<string, string>>): string {
  return `add the tags (${Object.keys(tags).join(", ")})`;
}

/** Afterwards the function has the settings of the wish. */
export async function changeSettings(deploying: Deploying): Promise<FunctionFacts> {
  const { api, place, wish } = deploying;
  return onSettled(deploying, async (facts) => {
    const missing = missingSettings(place, facts, wish);
    if (!missing) return facts;
    step(deploying, `update the configuration (${Object.keys(missing).join(", ")})`);
    await untilPropagated(api, `update the configuration of ${formatPlace(place)}`, () =>
      updateSettings(api, place, missing, facts.revisionId),
    );
    return ended(deploying, facts);
  });
}

async function ended({ api, place }: Deploying, before: FunctionFacts): Promise<FunctionFacts> {
  const facts = await settled(api, place);
  if (facts.state.value === "Failed") throw failed(place, facts);
  if (facts.lastUpdate.value === "Failed")
    throw failed(place, { ...facts, ...(before.digest && { digest: before.digest }) });
  return facts;
}

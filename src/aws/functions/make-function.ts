import { LambdaPackError } from "../../errors.ts";
import { isNamed } from "../refusals.ts";
import { type Deploying, type DeployWish, step } from "./deploying.ts";
import type { FunctionFacts } from "./function-facts.ts";
import { formatPlace } from "./function-name.ts";
import { createFunction, type NewFunction } from "./functions.ts";
import { untilPropagated } from "./propagation.ts";
import { failed } from "./states.ts";
import { settled } from "./wait.ts";

/** What a new function is given beside its image. */
export type Anew = Pick<DeployWish, "settings"> & Pick<NewFunction, "others" | "tags">;

function newFrom({ settings, resourceTags = {} }: DeployWish): Anew {
  return { settings, tags: resourceTags };
}

/** Afterwards the function is Active. One that has come to be meanwhile is left for the update to find. */
export async function makeFunction(
  deploying: Deploying,
  anew: Anew = newFrom(deploying.wish),
): Promise<FunctionFacts> {
  const { api, place } = deploying;
  step(deploying, "create the function");
  await created(deploying, anew);
  const facts = await settled(api, place);
  if (facts.state.value === "Failed") throw failed(place, facts);
  return facts;
}

async function created(deploying: Deploying, anew: Anew): Promise<void> {
  const { api, place, wish } = deploying;
  const { role } = anew.settings;
  if (role === undefined) throw needsRole(deploying);
  const { imageUri, architecture } = wish;
  const settings = { ...anew.settings, role };
  try {
    await untilPropagated(api, `create ${formatPlace(place)}`, () =>
      createFunction(api, place, { ...anew, imageUri, architecture, settings }),
    );
  } catch (error) {
    if (!alreadyThere(error)) throw error;
  }
}

export function needsRole({ place }: Pick<Deploying, "place">): LambdaPackError {
  return new LambdaPackError("FUNCTION_NOT_FOUND", `there is no function ${formatPlace(place)}`, {
    hint: "to create it, give its execution role: --role arn:aws:iam::<account>:role/<name>; else check name and region",
  });
}

/** Also when it was this very request, whose answer was lost. */
function alreadyThere(error: unknown): boolean {
  const cause = error instanceof LambdaPackError ? error.cause : undefined;
  return isNamed(cause, "ResourceConflictException") && /already exist/i.test(String(cause));
}

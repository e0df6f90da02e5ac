import { hasCode } from "../../errors.ts";
import { attachmentsOf, wouldLose } from "./attachments.ts";
import { type Deploying, type DeployWish, step } from "./deploying.ts";
import {
  type FunctionFacts,
  type FunctionSettings,
  type ReadSettings,
  withoutDefaults,
} from "./function-facts.ts";
import { formatPlace } from "./function-name.ts";
import { deleteFunction, type NewFunction } from "./functions.ts";
import { makeFunction } from "./make-function.ts";
import { checkRestorable } from "./unreadable.ts";

/**
 * A function whose creation failed takes no new code: it has to be deleted and created again (Lambda documentation, "Lambda function states").
 * Done by itself only where nothing hangs on it, so that nobody can have been using it; else where the wish says `recreate`.
 * @throws FUNCTION_FAILED, which says what would be lost; DENIED or AWS_REFUSED where what is to be put back cannot be read.
 */
export async function remakeFunction(deploying: Deploying, old: FunctionFacts): Promise<FunctionFacts> {
  const { api, place, wish } = deploying;
  checkRestorable(place, old, wish.settings);
  const attached = wish.recreate ? [] : await attachmentsOf(api, place, old);
  if (attached.length > 0) throw wouldLose(place, old, attached);
  step(deploying, "delete the function, whose creation failed");
  await deleteFunction(api, place);
  const anew = asBefore(deploying, old);
  try {
    return await makeFunction(deploying, anew);
  } catch (error) {
    // One that failed again is there, with all that it had.
    if (!hasCode(error, "FUNCTION_FAILED")) sayWhatItHad(deploying, anew.settings);
    throw error;
  }
}

/** Its settings, with those of the wish. AWS's own tags cannot be given. */
function asBefore({ wish }: Deploying, { settings, others, tags }: FunctionFacts) {
  return {
    settings: { ...settings, ...wish.settings, ...added(settings, wish) },
    others,
    tags: {
      ...Object.fromEntries(Object.entries(tags).filter(([name]) => !name.startsWith("aws:"))),
      ...wish.resourceTags,
    },
  } satisfies Partial<NewFunction>;
}

/** What a wish only adds to. */
function added(
  { env, image }: ReadSettings,
  { settings: wish, imageDefaults }: DeployWish,
): Pick<FunctionSettings, "env" | "image"> {
  return { env: { ...env, ...wish.env }, image: withoutDefaults({ ...image, ...wish.image }, imageDefaults) };
}

/** Whoever deploys again has to give what nobody else remembers; values of variables may be secrets. */
function sayWhatItHad(
  { api, place }: Deploying,
  { role, memory, timeout, ephemeralStorage, env }: FunctionSettings,
): void {
  const names = Object.keys(env);
  api.emit({
    type: "warning",
    message: `${formatPlace(place)} was deleted to be created again, and may not be there now`,
    hint: `deploy it again with what it had: --role ${role} --memory ${memory} --timeout ${timeout} --ephemeral-storage ${ephemeralStorage}${names.length > 0 ? `, and the variables ${names.join(", ")}` : ""}`,
  });
}

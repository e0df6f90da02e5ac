import { LambdaPackError } from "../../errors.ts";
import { isNamed } from "../refusals.ts";
import { type Deploying, type DeployWish, step } from "./deploying.ts";
import type { FunctionFacts } from "./function-facts.ts";
import { formatPlace } from "./function-name.ts";
import { createFunction, type NewFunction } from "./functions.ts";
import { failed } from "./states.ts";
import { settled } from "./wait.ts";

/** IAM tells all of Lambda about a new role within seconds, and promises nothing. */
const ROLE_PATIENCE_MS = 60_000;
const ROLE_WAITS_MS: readonly number[] = [1_000, 2_000, 4_000];

/** What a new function is given beside its image. */
export type Anew = Pick<DeployWish, "settings"> & Pick<NewFunction, "others" | "tags">;

/** Afterwards the function is Active. One that has come to be meanwhile is left for the update to find. */
export async function makeFunction(
  deploying: Deploying,
  anew: Anew = { settings: deploying.wish.settings },
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
  const until = api.pacing.now() + ROLE_PATIENCE_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const settings = { ...anew.settings, role };
      return await createFunction(api, place, { ...anew, imageUri, architecture, settings });
    } catch (error) {
      if (alreadyThere(error)) return;
      const waitMs = ROLE_WAITS_MS[attempt - 1] ?? 5_000;
      if (!roleIsNew(error) || api.pacing.now() + waitMs > until) throw error;
      const what = `create ${formatPlace(place)}`;
      const reason = "Lambda cannot assume the role yet";
      api.emit({ type: "retrying", what, attempt: attempt + 1, waitMs, reason });
      await api.pacing.sleep(waitMs, api.signal);
    }
  }
}

export function needsRole({ place }: Pick<Deploying, "place">): LambdaPackError {
  return new LambdaPackError("FUNCTION_NOT_FOUND", `there is no function ${formatPlace(place)}`, {
    hint: "to create it, give its execution role: --role arn:aws:iam::<account>:role/<name>; else check name and region",
  });
}

function causeOf(error: unknown): unknown {
  return error instanceof LambdaPackError ? error.cause : undefined;
}

/** Also when it was this very request, whose answer was lost. */
function alreadyThere(error: unknown): boolean {
  const cause = causeOf(error);
  return isNamed(cause, "ResourceConflictException") && /already exist/i.test(String(cause));
}

function roleIsNew(error: unknown): boolean {
  const cause = causeOf(error);
  return (
    isNamed(cause, "InvalidParameterValueException") && /cannot be assumed by Lambda/i.test(String(cause))
  );
}

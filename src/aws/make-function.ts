import { LambdaPackError } from "../errors.ts";
import { type Deploying, step } from "./deploying.ts";
import type { FunctionFacts, FunctionSettings } from "./function-facts.ts";
import { formatPlace } from "./function-name.ts";
import { createFunction, deleteFunction } from "./functions.ts";
import { isNamed } from "./refusals.ts";
import { failed } from "./states.ts";
import { listAliases, listVersions } from "./versions.ts";
import { settled } from "./wait.ts";

/** IAM tells all of Lambda about a new role within seconds, and promises nothing. */
const ROLE_PATIENCE_MS = 60_000;
const ROLE_WAITS_MS: readonly number[] = [1_000, 2_000, 4_000];

/** Afterwards the function is Active. One that has come to be meanwhile is left for the update to find. */
export async function makeFunction(
  deploying: Deploying,
  settings = deploying.wish.settings,
): Promise<FunctionFacts> {
  const { api, place } = deploying;
  step(deploying, "create the function");
  await created(deploying, settings);
  const facts = await settled(api, place);
  if (facts.state.value === "Failed") throw failed(place, facts);
  return facts;
}

/**
 * A function whose creation failed takes no new code: it has to be deleted and created again (Lambda documentation, "Lambda function states").
 * Done only to one that never served: it has no version and no alias.
 */
export async function makeAgain(deploying: Deploying, old: FunctionFacts): Promise<FunctionFacts> {
  const { api, place, wish } = deploying;
  const [versions, aliases] = await Promise.all([listVersions(api, place), listAliases(api, place)]);
  if (versions.length > 0 || aliases.length > 0) throw failed(place, old);
  step(deploying, "delete the function, whose creation failed");
  await deleteFunction(api, place);
  return makeFunction(deploying, {
    ...old.settings,
    ...wish.settings,
    env: { ...old.settings.env, ...wish.settings.env },
    image: { ...old.settings.image, ...wish.settings.image },
  });
}

async function created(deploying: Deploying, settings: Partial<FunctionSettings>): Promise<void> {
  const { api, place, wish } = deploying;
  const { role } = settings;
  if (role === undefined) throw needsRole(deploying);
  const { imageUri, architecture } = wish;
  const until = api.pacing.now() + ROLE_PATIENCE_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await createFunction(api, place, { imageUri, architecture, settings: { ...settings, role } });
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

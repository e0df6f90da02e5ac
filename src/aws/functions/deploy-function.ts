import type { Digest } from "../../oci/digest.ts";
import type { AwsApi } from "../api.ts";
import { changeFunction } from "./change-function.ts";
import { createAndWait } from "./create-function.ts";
import {
  type DeployContext,
  type DesiredAlias,
  type DesiredFunction,
  retryOnConflict,
} from "./deploy-context.ts";
import { type FunctionPlace, formatPlace } from "./function-name.ts";
import { findFunction } from "./functions.ts";
import { formatState } from "./states.ts";
import { applyAlias, findAlias, planAlias, publishVersion } from "./versions.ts";
import { waitUntilSettled } from "./wait.ts";
import { warm } from "./warm.ts";

/** The result of deploying one function. */
export interface Deployed {
  readonly function: string;
  readonly region: string;
  readonly how: "created" | "updated" | "unchanged" | "planned";
  /** The ARN of the version if one is published, else of the function. */
  readonly arn: string;
  readonly version: string;
  readonly digest: Digest;
  /** `Active`, or the state that Lambda reports. */
  readonly state: string;
  /** The changes that were made, or would be, in order. */
  readonly steps: readonly string[];
}

/**
 * Creates or updates the function until it has the desired image, settings, version and alias. It
 * changes only what differs, so the next run completes one that was interrupted.
 * @throws FUNCTION_FAILED, FUNCTION_BUSY, FUNCTION_NOT_FOUND, AWS_REFUSED, DENIED,
 * CREDENTIALS_INVALID.
 */
export async function deployFunction(
  api: AwsApi,
  place: FunctionPlace,
  desired: DesiredFunction,
): Promise<Deployed> {
  const context: DeployContext = { api, place, desired, steps: [] };
  try {
    return await deployed(context);
  } catch (error) {
    if (api.signal?.aborted) warnOfRunningStep(context);
    throw error;
  }
}

async function deployed(context: DeployContext): Promise<Deployed> {
  const { api, place, desired, steps } = context;
  const found = await findFunction(api, place);
  const latest = await changeFunction(
    context,
    found ? await waitUntilSettled(api, place) : await createAndWait(context),
  );
  const publishes = desired.publish || desired.alias !== undefined;
  const facts = publishes ? await publishVersion(context) : latest;
  if (desired.alias) await moveAlias(context, facts.version, desired.alias);
  else if (desired.warm && steps.length > 0) await warm(context, facts.version);
  const isNew = steps.includes("create the function");
  return {
    function: place.name,
    region: place.region,
    arn: facts.arn,
    version: facts.version,
    digest: desired.digest,
    state: formatState(facts),
    how: isNew ? "created" : steps.length > 0 ? "updated" : "unchanged",
    steps,
  };
}

async function moveAlias(context: DeployContext, version: string, alias: DesiredAlias): Promise<void> {
  const { api, place, desired } = context;
  const isMoving = planAlias(alias, version, await findAlias(api, place, alias.name)) !== undefined;
  if (isMoving && desired.warm) await warm(context, version);
  if (!isMoving) return;
  await retryOnConflict(context, async () => {
    const plan = planAlias(alias, version, await findAlias(api, place, alias.name));
    if (plan) await applyAlias(context, alias.name, plan);
  });
}

function warnOfRunningStep({ api, place, steps }: DeployContext): void {
  const last = steps.at(-1);
  if (last === undefined) return;
  api.emit({
    type: "warning",
    message: `${formatPlace(place)}: AWS has accepted the request to ${last}, and continues with it`,
    hint: `run lambda-pack status ${place.name} --region ${place.region} --wait to see how it ends, then deploy again to finish the rest`,
  });
}

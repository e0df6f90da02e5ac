import { LambdaPackError } from "../../errors.ts";
import type { AwsApi } from "../api.ts";
import type { FunctionFacts } from "./function-facts.ts";
import { type FunctionPlace, formatPlace } from "./function-name.ts";
import { findFunction } from "./functions.ts";
import { formatState, isSettled } from "./states.ts";

/** The SDK's own waiters would look again after up to 300 s. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 2_000;
/** Images of many gigabytes take minutes; what takes longer has come to a stop. */
const PATIENCE_MS = 15 * 60_000;

/**
 * The function (or a version of it) once nothing is under way any more, however it ended. Tells each change of state.
 * @throws FUNCTION_NOT_FOUND when it is deleted meanwhile, FUNCTION_BUSY after 15 minutes.
 */
export async function settled(api: AwsApi, place: FunctionPlace, qualifier?: string): Promise<FunctionFacts> {
  const until = api.pacing.now() + PATIENCE_MS;
  let told: string | undefined;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 1.5)) {
    const facts = await findFunction(api, place, qualifier);
    if (!facts) throw gone(place, qualifier);
    const state = formatState(facts);
    // That a function is Active and stays so is no news.
    if (state !== told && (told !== undefined || !isSettled(facts))) tell(api, place, facts);
    told = state;
    if (isSettled(facts)) return facts;
    if (api.pacing.now() + waitMs > until) throw tooLong(place, state);
    await api.pacing.sleep(waitMs, api.signal);
  }
}

function tell(api: AwsApi, { name, region }: FunctionPlace, facts: FunctionFacts): void {
  const { reason } = facts.lastUpdate.value === "Successful" ? facts.state : facts.lastUpdate;
  api.emit({
    type: "function-state",
    function: facts.version === "$LATEST" ? name : `${name}:${facts.version}`,
    region,
    state: formatState(facts),
    ...(reason !== undefined && { reason }),
  });
}

function gone(place: FunctionPlace, qualifier: string | undefined): LambdaPackError {
  const what = qualifier === undefined ? "the function" : `version ${qualifier} of`;
  return new LambdaPackError(
    "FUNCTION_NOT_FOUND",
    `${what} ${formatPlace(place)} was deleted while it was waited for`,
    {
      hint: "deploy again to create it anew",
    },
  );
}

function tooLong(place: FunctionPlace, state: string): LambdaPackError {
  return new LambdaPackError("FUNCTION_BUSY", `${formatPlace(place)} is ${state} for 15 minutes`, {
    hint: `Lambda goes on by itself: lambda-pack status ${place.name} --region ${place.region} --wait shows how it ends`,
  });
}

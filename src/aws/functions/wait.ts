import { LambdaPackError } from "../../errors.ts";
import type { AwsApi } from "../api.ts";
import { causedBy } from "../refusals.ts";
import type { FunctionFacts } from "./function-facts.ts";
import { type FunctionPlace, formatPlace, formatVersion } from "./function-name.ts";
import { findFunction } from "./functions.ts";
import { formatState, isSettled } from "./states.ts";

/** The SDK's waiters are not used: they report no state changes and no reason of a failure. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 2_000;
/** Images of many gigabytes take minutes to load. */
const PATIENCE_MS = 15 * 60_000;

/**
 * Waits until no change of the function (or of one of its versions) is in progress, whether it
 * succeeds or fails, and emits each change of state.
 * @throws FUNCTION_NOT_FOUND when it is deleted meanwhile, FUNCTION_BUSY after 15 minutes.
 */
export async function waitUntilSettled(
  api: AwsApi,
  place: FunctionPlace,
  qualifier?: string,
): Promise<FunctionFacts> {
  const until = api.pacing.now() + PATIENCE_MS;
  let reported: string | undefined;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 1.5)) {
    const facts = await findFunction(api, place, qualifier);
    if (!facts) {
      const what = `${formatVersion(place, qualifier)} was deleted while lambda-pack waited for it`;
      throw new LambdaPackError("FUNCTION_NOT_FOUND", what, { hint: "deploy again to create it" });
    }
    const state = formatState(facts);
    if (state !== reported && (reported !== undefined || !isSettled(facts))) emitState(api, place, facts);
    reported = state;
    if (isSettled(facts)) return facts;
    if (api.pacing.now() + waitMs > until)
      throw new LambdaPackError("FUNCTION_BUSY", `${formatPlace(place)} has been ${state} for 15 minutes`, {
        hint: `run lambda-pack status ${place.name} --region ${place.region} --wait to see how it ends`,
      });
    await api.pacing.sleep(waitMs, api.signal);
  }
}

function emitState(api: AwsApi, { name, region }: FunctionPlace, facts: FunctionFacts): void {
  const { reason } = facts.lastUpdate.value === "Successful" ? facts.state : facts.lastUpdate;
  api.emit({
    type: "function-state",
    function: facts.version === "$LATEST" ? name : `${name}:${facts.version}`,
    region,
    state: formatState(facts),
    ...(reason !== undefined && { reason }),
  });
}

/** A refusal that ends when a new role, image or policy has propagated within AWS. */
interface TemporaryRefusal {
  readonly message: RegExp;
  readonly reason: string;
  /** How long to wait for that, in milliseconds. */
  readonly patienceMs: number;
}

/** Messages of Lambda, from terraform-provider-aws (IAM propagation, EC2 throttling). */
const TEMPORARY_REFUSALS: readonly TemporaryRefusal[] = [
  {
    message:
      /cannot be assumed by Lambda|(?:CreateGrant|KMS).*does not refer to a valid principal|execution role does not have permissions to call \w+ on EC2/i,
    reason: "Lambda does not know the role yet",
    patienceMs: 60_000,
  },
  { message: /throttled by EC2/i, reason: "EC2 throttles Lambda", patienceMs: 60_000 },
  {
    message: /source image .* does not exist|permission to access the ECR image/i,
    reason: "Lambda does not see the image or its repository's policy yet",
    patienceMs: 10_000,
  },
];

const WAITS_MS: readonly number[] = [1_000, 2_000, 4_000];
const LAST_WAIT_MS = 5_000;

/**
 * Repeats `change` while Lambda refuses it only because a new role, image or policy has not
 * propagated yet. That usually takes seconds, but AWS gives no limit.
 * @throws the last refusal, when it lasts longer than its `patienceMs`.
 */
export function untilPropagated<T>(api: AwsApi, what: string, change: () => Promise<T>): Promise<T> {
  const { pacing } = api;
  const startedAt = pacing.now();
  return api.retry(what, change, (error, attempt) => {
    if (!causedBy(error, "InvalidParameterValueException", "AccessDeniedException")) return undefined;
    const passing = TEMPORARY_REFUSALS.find(({ message }) => message.test(String(error.cause)));
    const waitMs = WAITS_MS[attempt - 1] ?? LAST_WAIT_MS;
    const isOver = !passing || pacing.now() + waitMs > startedAt + passing.patienceMs;
    return isOver ? undefined : { waitMs, reason: passing.reason };
  });
}

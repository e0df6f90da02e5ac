import { isDeepStrictEqual } from "node:util";
import { causedBy } from "../refusals.ts";
import { recreateFunction } from "./create-function.ts";
import { type DeployContext, type DesiredFunction, recordStep, retryOnConflict } from "./deploy-context.ts";
import { type FunctionFacts, type FunctionSettings, mergedSettings } from "./function-facts.ts";
import { type FunctionPlace, formatPlace } from "./function-name.ts";
import { tagFunction, updateCode, updateSettings } from "./functions.ts";
import { failed } from "./states.ts";
import { checkAddable, lostParts, namesOf } from "./unreadable.ts";
import { untilPropagated, waitUntilSettled } from "./wait.ts";

/**
 * Returns whether the function runs this image. A Failed or Inactive function does not, even if it
 * names the image; an update with the same image activates it.
 */
function isLive({ digest, state, lastUpdate }: FunctionFacts, desired: DesiredFunction): boolean {
  return (
    digest === desired.digest &&
    !["Failed", "Inactive"].includes(state.value) &&
    lastUpdate.value !== "Failed"
  );
}

interface Change {
  /** As an imperative. */
  readonly what: string;
  /** What follows where Lambda refuses the change, which only the request shows. */
  readonly ifRefused?: string;
  readonly apply: () => Promise<void>;
}

/** In the order in which the changes are made. Each is undefined if there is nothing to change. */
const CHANGES: readonly ((context: DeployContext, facts: FunctionFacts) => Change | undefined)[] = [
  codeChange,
  settingsChange,
  tagChange,
];

/** Lists the changes that the function needs, and makes none. */
export function plannedChanges(context: DeployContext, facts: FunctionFacts): string[] {
  return CHANGES.flatMap((changeOf) => {
    const change = changeOf(context, facts);
    if (!change?.ifRefused) return change?.what ?? [];
    return `${change.what}, or where Lambda refuses it, ${change.ifRefused}`;
  });
}

/**
 * Makes the changes that the function needs.
 * @throws FUNCTION_FAILED if an update failed: the function still runs the previous image
 */
export async function changeFunction(context: DeployContext, found: FunctionFacts): Promise<FunctionFacts> {
  let facts = found;
  for (const changeOf of CHANGES)
    if (changeOf(context, facts))
      facts = await retryOnConflict(context, async (current) => {
        const change = changeOf(context, current);
        if (!change) return current;
        recordStep(context, change.what);
        await change.apply();
        return settledWell(context, current);
      });
  return facts;
}

async function settledWell({ api, place }: DeployContext, before: FunctionFacts): Promise<FunctionFacts> {
  const facts = await waitUntilSettled(api, place);
  if (facts.state.value === "Failed") throw failed(place, facts);
  if (facts.lastUpdate.value === "Failed")
    throw failed(place, { ...facts, ...(before.digest && { digest: before.digest }) });
  return facts;
}

function codeChange(context: DeployContext, facts: FunctionFacts): Change | undefined {
  const { api, place, desired } = context;
  if (isLive(facts, desired)) return undefined;
  const isFailed = facts.state.value === "Failed";
  const apply = async () => {
    try {
      await untilPropagated(api, `update the code of ${formatPlace(place)}`, () =>
        updateCode(api, place, facts, desired),
      );
    } catch (error) {
      if (!isFailed || !isFinal(error)) throw error;
      await recreateFunction(context, facts);
    }
  };
  return { what: "update the code", apply, ...(isFailed && { ifRefused: recreation(facts, desired) }) };
}

/**
 * Returns whether Lambda refuses new code because of the function's state and not because of
 * another running change.
 */
function isFinal(error: unknown): boolean {
  return causedBy(error, "ResourceConflictException") && !/in progress/i.test(error.message);
}

function recreation(facts: FunctionFacts, { settings }: DesiredFunction): string {
  const lost = lostParts(facts, settings);
  return lost.length === 0
    ? "delete the function and create it again"
    : `stop: the function cannot be created again without its ${namesOf(lost)}, which cannot be read`;
}

function settingsChange({ api, place, desired }: DeployContext, facts: FunctionFacts): Change | undefined {
  const missing = missingSettings(place, facts, desired);
  const names = Object.keys(missing);
  if (names.length === 0) return undefined;
  const apply = () =>
    untilPropagated(api, `update the configuration of ${formatPlace(place)}`, () =>
      updateSettings(api, place, facts, missing),
    );
  return { what: `update the configuration (${names.join(", ")})`, apply };
}

/**
 * Returns the desired settings that the function lacks, each with its complete value.
 * @throws DENIED or AWS_REFUSED if settings to which the deploy adds cannot be read
 */
export function missingSettings(
  place: FunctionPlace,
  facts: FunctionFacts,
  desired: DesiredFunction,
): Partial<FunctionSettings> {
  checkAddable(place, facts, desired.settings);
  const current = new Map<string, unknown>(Object.entries(facts.settings));
  const wanted = Object.entries(mergedSettings(facts.settings, desired.settings));
  return Object.fromEntries(wanted.filter(([name, value]) => !isDeepStrictEqual(value, current.get(name))));
}

/** Adds the desired tags; the function's other tags stay. */
function tagChange({ api, place, desired }: DeployContext, facts: FunctionFacts): Change | undefined {
  const wanted = Object.entries(desired.resourceTags ?? {});
  const missing = wanted.filter(([name, value]) => facts.tags[name] !== value);
  if (missing.length === 0) return undefined;
  const what = `add the tags (${missing.map(([name]) => name).join(", ")})`;
  return { what, apply: () => tagFunction(api, place, facts.arn, Object.fromEntries(missing)) };
}

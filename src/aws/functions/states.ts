import { LambdaPackError } from "../../errors.ts";
import { hexOf } from "../../oci/digest.ts";
import type { Condition, FunctionFacts } from "./function-facts.ts";
import { type FunctionPlace, formatPlace } from "./function-name.ts";
import { type Reason, reasonOf } from "./state-reasons.ts";

/** Nothing more will happen by itself. */
export function isSettled({ state, lastUpdate }: FunctionFacts): boolean {
  return !["Pending", "Deactivating", "Deleting"].includes(state.value) && lastUpdate.value !== "InProgress";
}

/** `Active`, `Active, update InProgress`. */
export function formatState({ state, lastUpdate }: FunctionFacts): string {
  return lastUpdate.value === "Successful" ? state.value : `${state.value}, update ${lastUpdate.value}`;
}

/** The condition that is to be explained: a state that does not serve, or an update that failed. */
export function troubleOf({ state, lastUpdate }: FunctionFacts): Condition | undefined {
  if (!["Active", "Pending"].includes(state.value)) return state;
  return lastUpdate.value === "Failed" ? lastUpdate : undefined;
}

/** What a state means and the way back, as one text; undefined where all is well. */
export function explain(facts: FunctionFacts): string | undefined {
  const trouble = troubleOf(facts);
  if (!trouble) return undefined;
  const said = [trouble.code, trouble.reason].filter((part) => part !== undefined).join(": ");
  const { means, cure } = reasonFor(facts, trouble);
  return `${trouble.value}${said === "" ? "" : ` (${said})`}: ${means}; ${cure}`;
}

/** The error for a function, an update or a version that ended as Failed. */
export function failed(place: FunctionPlace, facts: FunctionFacts): LambdaPackError {
  const isUpdate = facts.state.value !== "Failed" && facts.lastUpdate.value === "Failed";
  const trouble = isUpdate ? facts.lastUpdate : facts.state;
  const { means, cure } = reasonFor(facts, trouble);
  const what = isUpdate
    ? "the update of"
    : facts.version === "$LATEST"
      ? "the function"
      : `version ${facts.version} of`;
  const words = [trouble.code, trouble.reason].filter((part) => part !== undefined).join(": ");
  const serving = isUpdate ? `; the code from before${shortOf(facts)} keeps serving` : "";
  return new LambdaPackError(
    "FUNCTION_FAILED",
    `${what} ${formatPlace(place)} ended as ${trouble.value}: ${words || "Lambda gives no reason"}${serving}`,
    { hint: `${means}; ${cure}` },
  );
}

/** The reason's cure with this function's own names, to be copied. */
function reasonFor({ arn, imageUri }: FunctionFacts, trouble: Condition): Reason {
  const { means, cure } = reasonOf(trouble);
  const name = /:function:([^:]+)/.exec(arn)?.[1] ?? "<function>";
  const repository = imageUri?.replace(/[:@][^/]*$/, "") ?? "<repository>";
  return { means, cure: cure.replace("<function>", name).replace("<repository>", repository) };
}

function shortOf({ digest }: FunctionFacts): string {
  return digest ? ` (sha256:${hexOf(digest).slice(0, 12)}…)` : "";
}

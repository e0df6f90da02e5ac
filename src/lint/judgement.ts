import { LambdaPackError } from "../errors.ts";
import { type Finding, RULES } from "./run-rules.ts";

/** @throws USAGE for a rule that there is none of. */
export function refuseUnknown(allow: readonly string[]): void {
  const unknown = allow.find((id) => !RULES.some((rule) => rule.id === id));
  if (unknown === undefined) return;
  throw new LambdaPackError("USAGE", `${JSON.stringify(unknown)} is not a rule`, {
    hint: `the rules are ${RULES.map(({ id }) => id).join(", ")}`,
  });
}

export function isError({ severity }: Finding): boolean {
  return severity === "error";
}

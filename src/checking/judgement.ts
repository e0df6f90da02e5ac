import { LambdaPackError } from "../errors.ts";
import { type Finding, judge, RULES } from "../lambda/rules/all.ts";
import type { ImageFacts } from "../lambda/rules/facts.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { CheckOptions, CheckResult } from "../story/options.ts";

/** @throws USAGE for a rule that there is none of. */
export function refuseUnknown(allow: readonly string[]): void {
  const unknown = allow.find((id) => !RULES.some((rule) => rule.id === id));
  if (unknown === undefined) return;
  throw new LambdaPackError("USAGE", `${JSON.stringify(unknown)} is not a rule`, {
    hint: `the rules are ${RULES.map(({ id }) => id).join(", ")}`,
  });
}

/** What the rules say of `facts`. */
export async function resultOf(
  { source, allow = [] }: Pick<CheckOptions, "source" | "allow">,
  facts: ImageFacts,
  digest?: CheckResult["digest"],
): Promise<CheckResult> {
  const findings = await judge(facts, allow);
  return {
    source,
    ...(digest && { digest }),
    platform: facts.brokenConfig ? "unknown" : formatPlatform(facts.settings),
    ok: !findings.some(isError),
    findings,
    rules: RULES.length - new Set(allow).size,
    layers: { all: facts.layers.length, read: facts.layers.filter(({ read }) => read).length },
  };
}

export function isError({ severity }: Finding): boolean {
  return severity === "error";
}

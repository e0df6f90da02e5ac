import type { ImageFacts } from "../../lint/facts.ts";
import { isError, RULES, runRules } from "../../lint/run-rules.ts";
import { formatPlatform } from "../../oci/platform.ts";
import type { CheckPlan, CheckResult } from "./options.ts";

/** Runs the rules on `facts` and returns the result. */
export async function resultOf(
  { source, lint: { allow } }: CheckPlan,
  facts: ImageFacts,
  digest?: CheckResult["digest"],
): Promise<CheckResult> {
  const findings = await runRules(facts, allow);
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

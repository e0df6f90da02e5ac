import { LambdaPackError } from "../errors.ts";
import { type Finding, judge } from "../lambda/rules/all.ts";
import type { Group } from "../layer/split.ts";
import type { Image } from "../oci/image.ts";
import type { Base } from "../story/base.ts";
import type { BuildOptions } from "../story/options.ts";
import type { Session } from "../story/session.ts";
import type { Told } from "../story/unchanged.ts";
import { factsOfBuild } from "./facts.ts";
import { isError } from "./judgement.ts";

/**
 * Holds what was built to the rules, before anything is sent. Gives what is no error and should be told.
 * @throws CHECK_FAILED naming every error.
 */
export async function refuseBroken(
  options: BuildOptions,
  base: Base,
  image: Image,
  groups: readonly Group[],
  session: Session,
): Promise<readonly Told[]> {
  if (options.check === false) return [];
  const facts = await factsOfBuild(base, image, groups, options, session.signal);
  const findings = await judge(facts, [...(options.allow ?? []), "base-support"]);
  const errors = findings.filter(isError);
  const warnings = findings.flatMap(({ severity, message, path, hint, rule }) => {
    const where = path === undefined ? "" : `${path}: `;
    return severity === "warning" ? { message: `${where}${message} (${rule})`, hint } : [];
  });
  for (const warning of warnings) session.emit({ type: "warning", ...warning });
  if (errors.length > 0) throw failed(errors);
  return warnings;
}

const MOST_TOLD = 5;

function failed(errors: readonly Finding[]): LambdaPackError {
  const told = errors
    .slice(0, MOST_TOLD)
    .map(({ rule, path, message }) => `${path === undefined ? "" : `${path}: `}${message} (${rule})`);
  const more =
    errors.length > MOST_TOLD ? `; and ${errors.length - MOST_TOLD} more, which lambda-pack check lists` : "";
  const [first] = errors;
  const rules = [...new Set(errors.map(({ rule }) => rule))];
  return new LambdaPackError("CHECK_FAILED", `Lambda would not run this image: ${told.join("; ")}${more}`, {
    hint: `${first?.hint}; or build it all the same with ${rules.map((rule) => `--allow ${rule}`).join(" ")}`,
  });
}

import type { Base } from "../base/base.ts";
import { LambdaPackError } from "../errors.ts";
import type { Group } from "../layer/split.ts";
import type { Image } from "../oci/image.ts";
import type { BuildOptions } from "../session/options.ts";
import type { Session } from "../session/session.ts";
import { factsOfBuild, withLayers } from "./collect-facts.ts";
import { isError } from "./judgement.ts";
import { type Finding, judge, look, RULES } from "./run-rules.ts";

/** What the user should know of an image. */
export interface Told {
  readonly message: string;
  readonly hint: string;
}

/**
 * Holds an image to the rules before it is named anywhere, and gives what is no error and should be told.
 * @throws CHECK_FAILED naming every error.
 */
export type RefuseBroken = (image: Image) => Promise<readonly Told[]>;

/** Is told by `check` alone: a third of the time in which the rules look around is for these. */
const ADVICE: readonly string[] = RULES.filter(({ severity }) => severity === "info").map(({ id }) => id);

/** Looks at all that will be packed, in short stretches, so that packing goes on meanwhile. `bare` is the image without the layers of the groups. */
export async function lookAhead(
  options: BuildOptions,
  base: Base,
  bare: Image,
  groups: readonly Group[],
  session: Session,
  signal: AbortSignal,
): Promise<RefuseBroken> {
  const facts = await factsOfBuild(base, bare, groups, { ...options, noAdvice: true }, signal);
  const allow = [...(options.allow ?? []), "base-support", ...ADVICE];
  const seen = await look(facts, allow, signal);
  return async (image) => told(await judge(withLayers(facts, image), allow, seen), session);
}

function told(findings: readonly Finding[], session: Session): readonly Told[] {
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

import { LambdaPackError } from "../errors.ts";
import type { ImageFacts } from "./facts.ts";
import { listOf, type Problem, type Rule, SEVERITIES, type Severity } from "./rule.ts";
import { ballast, hiddenFiles, timedBytecode } from "./rules/app/ballast.ts";
import { dependencies, developmentDependencies, virtualEnvironment } from "./rules/app/dependencies.ts";
import { execWrapper, extensions } from "./rules/app/extensions.ts";
import { handler, handlerParameters } from "./rules/app/handler.ts";
import { links } from "./rules/app/links.ts";
import { callbackHandler, moduleType } from "./rules/app/module-type.ts";
import { nativeArchitecture, nativeCompiled, nativeGlibc, nativeLibc } from "./rules/app/native.ts";
import { collidingNames, readable, secretFiles } from "./rules/app/own-files.ts";
import { runtimeVersionRule } from "./rules/app/runtime-version.ts";
import { sharedLibraries } from "./rules/app/shared-libraries.ts";
import { baseBehind, baseSupport, snapstart } from "./rules/image/base.ts";
import { duplicateEntry, entryKind, entryName, hardlink, missingParent } from "./rules/image/entries.ts";
import { bootstrap, entrypoint, oneWordCommand, workdir } from "./rules/image/entrypoint.ts";
import { attestation, indexUnderTag, mediaTypes, platform } from "./rules/image/index-and-manifest.ts";
import { history, layerContent, size } from "./rules/image/layers.ts";
import { runtimeClient } from "./rules/image/runtime-client.ts";
import {
  ignoredSettings,
  reservedVariables,
  secretVariables,
  writablePlaces,
} from "./rules/image/settings.ts";
import { type RuleVisitor, visitFiles } from "./visit.ts";

/** Every rule, in the order in which Lambda would report them. */
export const RULES: readonly Rule[] = [
  indexUnderTag,
  attestation,
  mediaTypes,
  layerContent,
  history,
  size,
  missingParent,
  duplicateEntry,
  entryName,
  entryKind,
  hardlink,
  platform,
  entrypoint,
  oneWordCommand,
  workdir,
  bootstrap,
  runtimeClient,
  handler,
  handlerParameters,
  moduleType,
  callbackHandler,
  dependencies,
  virtualEnvironment,
  runtimeVersionRule,
  readable,
  extensions,
  execWrapper,
  links,
  nativeArchitecture,
  nativeCompiled,
  nativeGlibc,
  nativeLibc,
  sharedLibraries,
  snapstart,
  baseSupport,
  baseBehind,
  ignoredSettings,
  reservedVariables,
  secretVariables,
  secretFiles,
  writablePlaces,
  developmentDependencies,
  ballast,
  timedBytecode,
  hiddenFiles,
  collidingNames,
];

/** A problem and the rule that it breaks. */
export interface Finding extends Problem {
  readonly rule: string;
  readonly severity: Severity;
  /** What Lambda reports or does. */
  readonly otherwise: string;
}

/** The visitors of rules, after they have visited every entry. */
export type Visited = ReadonlyMap<Rule, RuleVisitor>;

/**
 * Runs the slow part of {@link runRules}, which only needs the image's files and config.
 * @param skipped ids of rules that are not run
 */
export async function visitImage(
  facts: ImageFacts,
  skipped: readonly string[],
  signal?: AbortSignal,
): Promise<Visited> {
  const visitors = new Map<Rule, RuleVisitor>();
  for (const rule of rulesWithout(skipped)) if ("visitor" in rule) visitors.set(rule, rule.visitor(facts));
  await visitFiles(facts, [...visitors.values()], signal);
  return visitors;
}

/**
 * Runs all rules except those in `skipped` and returns their findings, errors first, then in the
 * order of the rules. `visited`: the result of {@link visitImage} for the same files and the same
 * `skipped`, if it ran before.
 */
export async function runRules(
  facts: ImageFacts,
  skipped: readonly string[] = [],
  visited?: Visited,
): Promise<readonly Finding[]> {
  const visitors = visited ?? (await visitImage(facts, skipped));
  const found = await Promise.all(rulesWithout(skipped).map((rule) => findingsOf(rule, facts, visitors)));
  return found.flat().sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}

/** Findings without those that the user allows. */
export interface Judgement {
  readonly findings: readonly Finding[];
  /** The rules that the user allows the image to break, and that it does not break. */
  readonly unbroken: readonly string[];
}

/** Leaves out the findings of the rules in `allow`. */
export function withoutAllowed(found: readonly Finding[], allow: readonly string[]): Judgement {
  const broken = new Set(found.map(({ rule }) => rule));
  return {
    findings: found.filter(({ rule }) => !allow.includes(rule)),
    unbroken: [...new Set(allow)].filter((id) => !broken.has(id)),
  };
}

/** @throws USAGE for a name in `allow` that is not a rule. */
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

function rulesWithout(skipped: readonly string[]): readonly Rule[] {
  return RULES.filter(({ id }) => !skipped.includes(id));
}

async function findingsOf(rule: Rule, facts: ImageFacts, visited: Visited): Promise<readonly Finding[]> {
  const { id, otherwise, severity } = rule;
  const problems = "check" in rule ? await rule.check(facts) : visited.get(rule)?.problems();
  return listOf(problems).map((problem) => ({
    ...problem,
    rule: id,
    otherwise,
    severity: problem.severity ?? severity,
  }));
}

import type { ImageFacts } from "./facts.ts";
import { type Problem, type Rule, SEVERITIES, type Severity } from "./rule.ts";
import { ballast, hiddenFiles, timedBytecode } from "./rules/ballast.ts";
import { baseBehind, baseSupport, snapstart } from "./rules/base.ts";
import { collidingNames } from "./rules/colliding-names.ts";
import { duplicateEntry, entryKind, entryName, hardlink, missingParent } from "./rules/entries.ts";
import { entrypoint, oneWordCommand, workdir } from "./rules/entrypoint.ts";
import { bootstrap, handler } from "./rules/handler.ts";
import { attestation, indexUnderTag, mediaTypes } from "./rules/index-and-manifest.ts";
import { history, layerContent, size } from "./rules/layers.ts";
import { nativeArchitecture, nativeGlibc, nativeLibc } from "./rules/native.ts";
import { extensions, links, readable } from "./rules/permissions.ts";
import { platform } from "./rules/platform.ts";
import { runtimeClient } from "./rules/runtime-client.ts";
import { secretFiles } from "./rules/secrets.ts";
import { ignoredSettings, reservedVariables, secretVariables, writablePlaces } from "./rules/settings.ts";
import { lookAround, type Watch } from "./visit.ts";

/** Every rule, in the order in which Lambda would come upon them. */
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
  readable,
  extensions,
  links,
  nativeArchitecture,
  nativeGlibc,
  nativeLibc,
  snapstart,
  baseSupport,
  baseBehind,
  ignoredSettings,
  reservedVariables,
  secretVariables,
  secretFiles,
  writablePlaces,
  ballast,
  timedBytecode,
  hiddenFiles,
  collidingNames,
];

/** A problem, and the rule that it breaks. */
export interface Finding extends Problem {
  readonly rule: string;
  readonly severity: Severity;
  /** What Lambda says or does. */
  readonly otherwise: string;
}

/** What the rules that look at every path have seen. */
export type Seen = ReadonlyMap<Rule, Watch>;

/** The part of {@link judge} that takes long, and needs nothing but the image's files and settings. */
export async function look(facts: ImageFacts, allow: readonly string[], signal?: AbortSignal): Promise<Seen> {
  const watches = new Map<Rule, Watch>();
  for (const rule of rulesWithout(allow)) if ("watch" in rule) watches.set(rule, rule.watch(facts));
  await lookAround(facts, [...watches.values()], signal);
  return watches;
}

/**
 * All that is wrong, at once: Lambda tells one at a time. Errors first, then in the order of the rules; those in `allow` are left out.
 * `seen`: what {@link look} gave for the same files and the same `allow`.
 */
export async function judge(
  facts: ImageFacts,
  allow: readonly string[] = [],
  seen?: Seen,
): Promise<readonly Finding[]> {
  const watches = seen ?? (await look(facts, allow));
  const rules = rulesWithout(allow);
  const found = await Promise.all(
    rules.map(async (rule) => findingsOf(rule, await problemsOf(rule, facts, watches))),
  );
  return found.flat().sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}

function rulesWithout(allow: readonly string[]): readonly Rule[] {
  return RULES.filter(({ id }) => !allow.includes(id));
}

function problemsOf(
  rule: Rule,
  facts: ImageFacts,
  watches: Seen,
): readonly Problem[] | Promise<readonly Problem[]> {
  return "check" in rule ? rule.check(facts) : (watches.get(rule)?.problems() ?? []);
}

function findingsOf({ id, otherwise, severity }: Rule, problems: readonly Problem[]): readonly Finding[] {
  return problems.map((problem) => ({
    ...problem,
    rule: id,
    otherwise,
    severity: problem.severity ?? severity,
  }));
}

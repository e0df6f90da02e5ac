import manifest from "../../package.json" with { type: "json" };
import type { Base } from "../base/base.ts";
import { LambdaPackError } from "../errors.ts";
import type { Group } from "../layer/split.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import type { Image } from "../oci/image.ts";
import { field, items, type Json, optional, parseJson, string } from "../oci/json.ts";
import type { Architecture } from "../oci/platform.ts";
import type { Session } from "../session/session.ts";
import { factsOfBuild, ignoresClient, withLayers } from "./collect-facts.ts";

import { SEVERITIES } from "./rule.ts";
import {
  type Finding,
  isError,
  type Judgement,
  RULES,
  runRules,
  visitImage,
  withoutAllowed,
} from "./run-rules.ts";

/** The settings of a check. Findings depend only on these, the image and the base's name. */
export interface LintPlan {
  /** Whether the image is checked. */
  readonly isEnabled: boolean;
  /** Rules that the image may break. */
  readonly allow: readonly string[];
  /** Whether the base's layers are read too. */
  readonly deep: boolean;
  readonly snapstart: boolean;
  /** The architecture of the function. undefined: the base's. */
  readonly architecture: Architecture | undefined;
  /** Whether the user gave `--cmd`: a handler that is not found is then a warning. */
  readonly isCmdUnchecked: boolean;
  /** Files that are not reported as secrets, relative to the source directory. */
  readonly allowSecrets: readonly string[];
}

interface LintInput {
  readonly base: Base;
  readonly groups: readonly Group[];
  /** Number of layers below `groups` whose files were not read. */
  readonly reusedLayers: number;
  /** The image without the layers of the groups. */
  readonly bare: Image;
  /** The complete image, if all its layers are known already. */
  readonly known: Image | undefined;
}

/** Judges the complete image. */
type Lint = (image: Image) => Promise<Judgement>;

/**
 * A build gives no advice, which takes a third of the rules' time; `check` does. Whether the base
 * is supported is reported before it is pulled.
 */
const SKIPPED: readonly string[] = [
  ...RULES.filter(({ severity }) => severity === "info").map(({ id }) => id),
  "base-support",
];

/** What a build does not look for, so that it cannot tell whether the image breaks these rules. */
const UNKNOWN: ReadonlySet<string> = new Set([...SKIPPED, "base-behind", "secret-files"]);

/**
 * Runs the rules over the files of a build and yields often, so that layers can be packed at the
 * same time. Findings are cached by the image's digest: the same image is not checked again.
 */
export async function lintFiles(
  plan: LintPlan,
  { base, groups, reusedLayers, bare, known }: LintInput,
  session: Session,
  signal: AbortSignal,
): Promise<Lint> {
  if (!plan.isEnabled) return async () => ({ findings: [], unbroken: [] });
  // Where the base's files may not have been read, a rule without a finding may be broken.
  const knowsBase = plan.deep || base.facts !== undefined || base.image.layers.length === 0;
  const remembered = known && (await findFindings(known, plan, base, session));
  if (remembered) return async () => judge(remembered, plan, knowsBase);
  const facts = await factsOfBuild(base, bare, { groups, reusedLayers }, { ...plan, noAdvice: true }, signal);
  const visited = await visitImage(facts, SKIPPED, signal);
  return async (image) => {
    const findings = await runRules(withLayers(facts, image), SKIPPED, visited);
    // If the files of a layer were not read, findings may be missing.
    const isComplete = reusedLayers === 0;
    if (isComplete) await rememberFindings(findings, image, plan, base, session);
    return judge(findings, plan, isComplete && knowsBase);
  };
}

function judge(found: readonly Finding[], { allow }: LintPlan, isComplete: boolean): Judgement {
  const { findings, unbroken } = withoutAllowed(found, allow);
  return { findings, unbroken: isComplete ? unbroken.filter((id) => !UNKNOWN.has(id)) : [] };
}

/** Reports warnings. @throws CHECK_FAILED naming the errors. */
export function rejectErrors(findings: readonly Finding[], session: Session): void {
  for (const { severity, message, path, hint, rule } of findings) {
    const where = path === undefined ? "" : `${path}: `;
    if (severity === "warning")
      session.emit({ type: "warning", message: `${where}${message} (${rule})`, hint });
  }
  const errors = findings.filter(isError);
  if (errors.length > 0) throw failed(errors);
}

const MAX_SHOWN = 5;

function failed(errors: readonly Finding[]): LambdaPackError {
  const shown = errors
    .slice(0, MAX_SHOWN)
    .map(({ rule, path, message }) => `${path === undefined ? "" : `${path}: `}${message} (${rule})`);
  const more =
    errors.length > MAX_SHOWN ? `; and ${errors.length - MAX_SHOWN} more, see lambda-pack check` : "";
  const [first] = errors;
  const rules = [...new Set(errors.map(({ rule }) => rule))];
  return new LambdaPackError("CHECK_FAILED", `Lambda would not run this image: ${shown.join("; ")}${more}`, {
    hint: `${first?.hint}; or build it anyway with ${rules.map((rule) => `--allow ${rule}`).join(" ")}`,
  });
}

/** Digest of this program's code (scripts/build/bundle.ts). Not defined in a run from sources. */
declare const LAMBDA_PACK_CODE: string;

/**
 * Returns the digest of everything that findings depend on: the image, the version with its code,
 * the plan except what it allows (but for the rule that decides what is read), and the base's name,
 * which stands for the base's files where its layers are not read. undefined in a run from sources,
 * whose rules may be other ones in the next.
 */
function findingsKey(image: Image, plan: LintPlan, { name = "" }: Base): Digest | undefined {
  if (typeof LAMBDA_PACK_CODE === "undefined") return undefined;
  const { digest } = image.manifest.descriptor;
  const { allow: _, ...settings } = plan;
  const ignores = ignoresClient(plan);
  return digestOf(JSON.stringify([manifest.version, LAMBDA_PACK_CODE, digest, settings, ignores, name]));
}

async function findFindings(
  image: Image,
  plan: LintPlan,
  base: Base,
  { cache }: Session,
): Promise<readonly Finding[] | undefined> {
  const key = findingsKey(image, plan, base);
  const text = key && (await cache.findFindings(key));
  return text === undefined
    ? undefined
    : items(parseJson(Buffer.from(text), "findings"), MAX_FINDINGS).map(parseFinding);
}

/** More than any image has. */
const MAX_FINDINGS = 1_000_000;

/** Ties the record to the topmost layer, without which the image is built again anyway. */
async function rememberFindings(
  findings: readonly Finding[],
  image: Image,
  plan: LintPlan,
  base: Base,
  { cache }: Session,
): Promise<void> {
  const key = findingsKey(image, plan, base);
  const descriptor = image.layers.at(-1)?.descriptor;
  if (key && descriptor && cache.directory !== undefined)
    await cache.rememberFindings(key, descriptor, JSON.stringify(findings));
}

function parseFinding(json: Json): Finding {
  const severity = string(field(json, "severity"));
  return {
    rule: string(field(json, "rule")),
    severity: SEVERITIES.find((one) => one === severity) ?? "error",
    message: string(field(json, "message")),
    hint: string(field(json, "hint")),
    otherwise: string(field(json, "otherwise")),
    path: optional(field(json, "path"), string),
  };
}

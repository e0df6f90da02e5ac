import type { OnEvent } from "../../events.ts";
import type { ImageFacts } from "../../lint/facts.ts";
import type { LintPlan } from "../../lint/lint-build.ts";
import {
  type Finding,
  isError,
  RULES,
  refuseUnknown,
  runRules,
  withoutAllowed,
} from "../../lint/run-rules.ts";
import type { Digest } from "../../oci/digest.ts";
import { formatPlatform, type Platform, platformOf } from "../../oci/platform.ts";
import { type ImageLocation, parseSource, pathKind } from "../../session/image-location.ts";
import type { SessionPlan } from "../../session/session.ts";
import { refusePath, withoutDirectory } from "../../session/source-path.ts";
import { pickBuildOptions } from "../build/options.ts";
import { type BuildPlan, parseBuildOptions } from "../build/plan.ts";
import { readSessionOptions } from "../options/common.ts";
import { warnOfUnbroken } from "../options/no-effect.ts";
import { CHECK_OPTIONS, type CheckOptions } from "./options.ts";

export interface CheckResult {
  readonly source: string;
  /** The digest of the image; undefined for a directory. */
  readonly digest?: Digest;
  /** `linux/amd64`. */
  readonly platform: string;
  /** true: no finding is an error. */
  readonly ok: boolean;
  /** Errors first. */
  readonly findings: readonly Finding[];
  /** The number of rules that were run. */
  readonly rules: number;
  /** The number of layers in the image, and of those that were read. */
  readonly layers: { readonly all: number; readonly read: number };
}

export interface CheckPlan {
  readonly session: SessionPlan;
  /** The source as the user wrote it. */
  readonly source: string;
  readonly target: { readonly kind: "directory"; readonly build: BuildPlan } | ImageToCheck;
  readonly lint: LintPlan;
  /** undefined: only if the image is in a registry. */
  readonly askBase: boolean | undefined;
  /** The options that the caller gave. */
  readonly given: object;
}

export interface ImageToCheck {
  readonly kind: "image";
  readonly location: ImageLocation;
  /** The image of an index to check. undefined: the only one, else linux/amd64. */
  readonly platform: Platform | undefined;
}

/** Parses the options. @throws USAGE, REFERENCE_INVALID, and for a directory what a build throws */
export function parseCheckOptions(options: CheckOptions): CheckPlan {
  const { values, session } = readSessionOptions("check", CHECK_OPTIONS, options);
  const { source, arch: architecture, allow, deep, snapstart, allowSecret: allowSecrets, askBase } = values;
  refuseUnknown(allow);
  const isCmdUnchecked = values.cmd !== undefined;
  const lint = { isEnabled: true, allow, deep, snapstart, architecture, allowSecrets, isCmdUnchecked };
  if (pathKind(source) === "directory") {
    const build = parseBuildOptions({ ...pickBuildOptions(options), directory: source, dryRun: true });
    // The rule base-support reports the same.
    const base = { ...build.base, isSupportAllowed: true };
    const target = { kind: "directory", build: { ...build, base } } as const;
    return { session, source, target, lint, askBase, given: options };
  }
  refusePath(source);
  const location = withoutDirectory(source, () => parseSource(source, session.environment));
  const platform = architecture && platformOf(architecture);
  return { session, source, target: { kind: "image", location, platform }, lint, askBase, given: options };
}

/** Runs the rules on `facts` and returns the result. Warns of allowed rules that are not broken. */
export async function resultOf(
  { source, lint: { allow }, given }: CheckPlan,
  facts: ImageFacts,
  emit: OnEvent,
  digest?: CheckResult["digest"],
): Promise<CheckResult> {
  const { findings, unbroken } = withoutAllowed(await runRules(facts), allow);
  // Where the base's files were not read, a rule without a finding may be broken; where base-behind
  // is allowed, the base is not looked up.
  const knowsBase = facts.files.whole || facts.base !== undefined;
  const known = knowsBase ? unbroken.filter((id) => id !== "base-behind") : [];
  if (facts.brokenConfig === undefined) warnOfUnbroken(known, given, emit);
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

import { hasCode, type LambdaPackError, misuse } from "../errors.ts";
import { resolveBase } from "../lambda/base-name.ts";
import {
  BASES,
  type BaseFacts,
  baseWarnings,
  HANDLER_FORMS,
  isLanguage,
  shortName,
} from "../lambda/bases.ts";
import { nearest } from "../lambda/nearest.ts";
import type { Digest } from "../oci/digest.ts";
import { type Architecture, platformOf } from "../oci/platform.ts";
import { parseImageLocation } from "../session/image-location.ts";
import { pull } from "../session/pull.ts";
import { Session } from "../session/session.ts";
import { readSessionOptions, SESSION_OPTIONS, TRANSFER_OPTIONS } from "./options/common.ts";
import { type NoEffect, warnOfNoEffect, withRule } from "./options/no-effect.ts";
import { type OptionsOf, off, optional } from "./options/read.ts";
import { text } from "./options/types.ts";

/** One of AWS's base images. */
export interface BaseReport {
  /** The value for `--base`: `python:3.12`. */
  readonly name: string;
  /** Lambda's runtime identifier, if there is a managed runtime. */
  readonly runtime?: string;
  /** For example `Amazon Linux 2023`. */
  readonly system: string;
  readonly architectures: readonly Architecture[];
  /** The last day (UTC, `2028-10-31`) on which AWS patches it. */
  readonly deprecated: string;
  /** Whether it and its Amazon Linux still get security patches today. */
  readonly supported: boolean;
  /** The form of a handler. */
  readonly handler: string;
  /**
   * The directory or file for the function's code, and the place in which the runtime looks for
   * packages.
   */
  readonly code: string;
  readonly dependencies: string;
  /** The current digest for each architecture, with `resolve`. */
  readonly digests?: Readonly<Record<string, Digest>>;
}

const withoutResolve: NoEffect = ({ values }) =>
  values["resolve"] ? undefined : "without --resolve no registry is asked";

export const BASES_OPTIONS = {
  language: optional(text, "python, nodejs, java, dotnet, ruby, provided or go"),
  resolve: off("look up the current digests"),
  ...SESSION_OPTIONS,
  ...withRule(withoutResolve, TRANSFER_OPTIONS),
};

export type BasesOptions = OptionsOf<typeof BASES_OPTIONS>;

/**
 * Lists AWS's base images, the newest of each language first; with `resolve` also the digest for
 * each architecture.
 * @throws USAGE for an unknown language; with `resolve` also what pulling a manifest throws
 */
export async function listBases(options: BasesOptions = {}): Promise<readonly BaseReport[]> {
  const { values, session: sessionPlan } = readSessionOptions("bases", BASES_OPTIONS, options);
  const { language, resolve } = values;
  if (language !== undefined && !isLanguage(language)) throw unknown(language);
  warnOfNoEffect(BASES_OPTIONS, options, { values, usesRegistry: resolve }, sessionPlan.onEvent);
  const chosen = BASES.filter(({ repository }) => language === undefined || repository === language);
  const reports = chosen.map((base) => reportOf(base));
  if (!resolve) return reports;
  return Session.run(sessionPlan, async (session) => {
    const resolved: BaseReport[] = [];
    for (const report of reports) resolved.push({ ...report, digests: await digestsOf(report, session) });
    return resolved;
  });
}

function reportOf(base: BaseFacts): BaseReport {
  const { repository, system, architectures, deprecated } = base;
  return {
    name: shortName(base),
    ...(base.runtime !== undefined && { runtime: base.runtime }),
    system: { AL1: "Amazon Linux 1", AL2: "Amazon Linux 2", AL2023: "Amazon Linux 2023" }[system],
    architectures,
    deprecated,
    supported: baseWarnings(base, new Date()).length === 0,
    handler: HANDLER_FORMS[repository],
    code: repository === "provided" || repository === "go" ? "/var/runtime/bootstrap" : "/var/task",
    dependencies: DEPENDENCIES[repository],
  };
}

/** The place in which each runtime looks for the function's packages. */
const DEPENDENCIES: Readonly<Record<BaseFacts["repository"], string>> = {
  python: "/var/task (pip install --target)",
  nodejs: "/var/task/node_modules",
  java: "/var/task/lib/*.jar",
  dotnet: "/var/task (dotnet publish)",
  ruby: "/var/task/vendor/bundle",
  provided: "linked in, or /opt/lib",
  go: "linked in",
};

/** Returns the digest for each architecture that is still published. */
async function digestsOf(
  { name, architectures }: BaseReport,
  session: Session,
): Promise<NonNullable<BaseReport["digests"]>> {
  const location = parseImageLocation(resolveBase(name, session.environment).reference);
  const found = await Promise.all(
    architectures.map(async (architecture): Promise<readonly [string, Digest] | undefined> => {
      try {
        return [architecture, (await pull(location, platformOf(architecture), session)).digest];
      } catch (error) {
        if (hasCode(error, "IMAGE_NOT_FOUND", "PLATFORM_NOT_FOUND", "REPOSITORY_NOT_FOUND")) return undefined;
        throw error;
      }
    }),
  );
  return Object.fromEntries(found.filter((pair) => pair !== undefined));
}

function unknown(language: string): LambdaPackError {
  const names = Object.keys(HANDLER_FORMS);
  const near = nearest(language, names);
  return misuse(
    `AWS has no base images for ${JSON.stringify(language)}`,
    `${near.length > 0 ? `did you mean ${near.join(" or ")}? ` : ""}AWS has bases for ${names.join(", ")}`,
  );
}

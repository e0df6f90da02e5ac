import { readFileSync } from "node:fs";
import type { LambdaPackError } from "../../errors.ts";
import type { InstallContext } from "../installation.ts";
import { filesInIndex, indexOf } from "../python/index-files.ts";
import { normalizeName } from "../python/marker.ts";
import { type PythonTarget, pythonTargetName } from "../python/target.ts";
import { describeWheels } from "../python/wheels.ts";
import { unavailable } from "../refusals.ts";

interface Missing {
  /** The requirement as it was given: `numpy==2.0`. */
  readonly requirement: string;
  /**
   * The versions that have a wheel, as pip lists them; empty if there is none, or if it is not
   * known.
   */
  readonly versions: string;
}

const MAX_SHOWN = 4;

/**
 * Returns the error for packages without a wheel, with the wheels that the index has; undefined if
 * uv or pip failed for another reason.
 */
export async function missingWheels(
  stderr: string,
  requirementsFile: string,
  target: PythonTarget,
  context: InstallContext,
): Promise<LambdaPackError | undefined> {
  const missing = missingIn(stderr);
  if (missing.length === 0) return undefined;
  const index = context.offline
    ? undefined
    : indexOf(readFileSync(requirementsFile, "utf8"), context.environment);
  const lines: string[] = [];
  for (const one of missing) lines.push(await lineOf(one, index, target, context));
  return unavailable(
    lines.join("\n"),
    "choose a version that has such a wheel, or a base image with a newer system: lambda-pack bases python",
  );
}

async function lineOf(
  { requirement, versions }: Missing,
  index: URL | undefined,
  target: PythonTarget,
  context: InstallContext,
): Promise<string> {
  const [, name = requirement, version] =
    /^([A-Za-z0-9._-]+?)(?:==([^;,\s]+))?(?:[^A-Za-z0-9._-].*)?$/.exec(requirement) ?? [];
  const files = index ? await filesInIndex(name, index, context) : [];
  const own = version === undefined ? files : files.filter((file) => versionIn(file, name) === version);
  const wheels = describeWheels(own, target);
  const shown = wheels.slice(0, MAX_SHOWN).join(", ");
  const more = wheels.length > MAX_SHOWN ? ` and ${wheels.length - MAX_SHOWN} more` : "";
  const facts = [
    ...(wheels.length > 0 ? [`there is ${shown}${more}`] : []),
    ...(wheels.length === 0 && own.length > 0
      ? ["there is only a source distribution, which would have to be compiled"]
      : []),
    ...(versions === "" ? [] : [`with a wheel for it there is ${versions}`]),
  ];
  return [`${requirement} has no wheel for ${pythonTargetName(target)}`, ...facts].join("; ");
}

/**
 * Returns the version in a file name: `2.0` for `numpy-2.0-cp312-...whl` and `numpy-2.0.tar.gz`.
 */
function versionIn(file: string, name: string): string | undefined {
  const length = normalizeName(name).length;
  if (normalizeName(file.slice(0, length)) !== normalizeName(name)) return undefined;
  return /^-([^-]+?)(?:-.*\.whl|\.tar\.gz|\.zip)$/.exec(file.slice(length))?.[1];
}

function missingIn(stderr: string): readonly Missing[] {
  const ofPip = stderr.matchAll(
    /Could not find a version that satisfies the requirement (\S+).*?\(from versions: ([^)]*)\)/g,
  );
  const ofUv = stderr.matchAll(/Because (\S+) has no wheels with a matching/g);
  return [
    ...[...ofPip].map(([, requirement = "", there = ""]) => ({
      requirement,
      versions: there === "none" ? "" : there,
    })),
    ...[...ofUv].map(([, requirement = ""]) => ({ requirement, versions: "" })),
  ];
}

import type { Base } from "../base/base.ts";
import { LambdaPackError } from "../errors.ts";
import { chooseLockFile, findLockFiles, type LockFile } from "./detect.ts";
import type { Installation } from "./installation.ts";
import { npmInstallation, planNpmProject, readNpmProject } from "./npm/installation.ts";
import { planPythonLock, wheelInstallation } from "./python/installation.ts";
import type { PythonTarget } from "./python/target.ts";
import { pythonTargetOf, systemOf, type TargetSystem } from "./system.ts";
import type { InstallHow } from "./ways.ts";

/** What `--install` means for a directory, before the base is known. */
export interface InstallPlan {
  /** Lock files of which the base's language decides; empty: nothing is installed. */
  readonly lockFiles: readonly LockFile[];
}

/** Finds the lock files. @throws USAGE where there is none; LOCK_INVALID for a package-lock.json that cannot be read. */
export function parseInstall(how: InstallHow, directory: string): InstallPlan {
  if (how === "none") return { lockFiles: [] };
  const lockFiles = findLockFiles(directory, how);
  const [only] = lockFiles;
  if (only?.way === "npm-lock" && lockFiles.length === 1) readNpmProject(only);
  return { lockFiles };
}

/**
 * Plans the installation for the system of a base. Fetches nothing, but reads the layers of a base that is not one of AWS's.
 * @throws USAGE, LOCK_INVALID, DEPENDENCY_UNAVAILABLE.
 */
export async function planInstallation(
  { lockFiles }: InstallPlan,
  base: Base,
  signal: AbortSignal,
): Promise<Installation | undefined> {
  if (lockFiles.length === 0) return undefined;
  const found = chooseLockFile(lockFiles, base.facts?.repository);
  const system = await systemOf(base, signal);
  switch (found.way) {
    case "npm-lock":
      return npmLockInstallation(found, system);
    case "uv-lock":
    case "pylock":
      return pythonLockInstallation(found, pythonTarget(system, base));
    default:
      throw new LambdaPackError("USAGE", `--install=${found.way} is not there yet`);
  }
}

function npmLockInstallation(found: LockFile, { platform }: TargetSystem): Installation {
  const lock = readNpmProject(found);
  const plan = planNpmProject(lock, found, platform);
  if (plan.needsNpm.length > 0) throw new LambdaPackError("LOCK_INVALID", plan.needsNpm.join("; "));
  return npmInstallation(lock, plan, found, platform);
}

function pythonLockInstallation(found: LockFile, target: PythonTarget): Installation {
  const plan = planPythonLock(found, target);
  if (plan.needsTool.length > 0) throw new LambdaPackError("LOCK_INVALID", plan.needsTool.join("; "));
  return wheelInstallation(found, plan, target);
}

function pythonTarget(system: TargetSystem, { reference }: Base): PythonTarget {
  const target = pythonTargetOf(system);
  if (target) return target;
  throw new LambdaPackError(
    "DEPENDENCY_UNAVAILABLE",
    `the base ${reference} has no Python that packages could be for`,
    {
      hint: "choose a base with Python: lambda-pack bases python",
    },
  );
}

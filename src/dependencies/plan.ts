import type { Base } from "../base/base.ts";
import type { LambdaPackError } from "../errors.ts";
import { misuse } from "../errors.ts";
import {
  chooseLockFile,
  findLockFiles,
  type InstallHow,
  type LockFile,
  SELECTABLE,
  type Selection,
  WAYS,
} from "./detect.ts";
import type { Installation } from "./installation.ts";
import { lockInvalid, unavailable } from "./lock-file.ts";
import { npmInstallation, readNpmProject, selectFrom } from "./npm/installation.ts";
import { planNpm } from "./npm/plan.ts";
import { planPythonLock, wheelInstallation } from "./python/installation.ts";
import { pythonTargetOf, type SystemContext, systemOf, type TargetSystem } from "./system.ts";
import type { PythonTarget } from "./target.ts";
import { bundlerInstallation } from "./tools/bundler.ts";
import { nodeToolInstallation } from "./tools/node.ts";
import { pythonToolInstallation } from "./tools/python.ts";

/** The meaning of `--install` for a directory, before the base is known. */
export interface InstallPlan {
  /** Lock files, from which the base's language selects one; empty: nothing is installed. */
  readonly lockFiles: readonly LockFile[];
  /**
   * Versions by name of the packages to install with their dependencies; undefined: all packages.
   */
  readonly only?: ReadonlyMap<string, string>;
  readonly selection: Selection;
}

/**
 * Finds the lock files.
 * @throws USAGE if there is none; LOCK_INVALID for an invalid package-lock.json
 */
export function parseInstall(how: InstallHow, directory: string, selection: Selection): InstallPlan {
  const named = [...selection.extras, ...selection.groups][0];
  if (how === "none" && named !== undefined) throw unselected(named, "there is no --install");
  if (how === "none") return { lockFiles: [], selection };
  const lockFiles = findLockFiles(directory, how);
  const [only] = lockFiles;
  if (only?.way === "npm-lock" && lockFiles.length === 1) readNpmProject(only);
  return { lockFiles, selection };
}

function unselected(name: string, why: string): LambdaPackError {
  return misuse(
    `the extra or group ${name} has no effect: ${why}`,
    "leave it out, or install from uv.lock, pylock.toml, poetry.lock or Pipfile.lock",
  );
}

function checkSelection({ way, file }: LockFile, selection: Selection): void {
  for (const kind of ["extras", "groups"] as const) {
    const [name] = selection[kind];
    if (name !== undefined && !SELECTABLE[kind].includes(way))
      throw unselected(name, `${file} has no ${kind}`);
  }
}

/**
 * Plans the installation for the base's system. Downloads no package, but may read the layers of
 * the base.
 * @throws USAGE, LOCK_INVALID, DEPENDENCY_UNAVAILABLE
 */
export async function planInstallation(
  { lockFiles, only, selection }: InstallPlan,
  base: Base,
  context: SystemContext,
): Promise<Installation | undefined> {
  if (lockFiles.length === 0) return undefined;
  const found = chooseLockFile(lockFiles, base.facts?.repository);
  checkSelection(found, selection);
  const system = await systemOf(base, WAYS[found.way].ecosystem === "python", context);
  if (only) return selectedInstallation(found, system, only);
  const { way } = found;
  switch (way) {
    case "npm-lock":
      return npmLockInstallation(found, system);
    case "npm":
    case "pnpm":
    case "yarn":
    case "bun":
      return nodeToolInstallation(way, found, system.platform);
    case "uv-lock":
    case "pylock":
      return pythonLockInstallation(found, pythonTarget(system, base), selection);
    case "uv":
    case "pip":
    case "poetry":
    case "pipenv":
      return pythonToolInstallation(way, found, pythonTarget(system, base), selection);
    case "bundler":
      return bundlerInstallation(
        found,
        system.platform,
        base.facts?.repository === "ruby" ? base.facts.tag : undefined,
      );
  }
}

/** Uses npm itself if the lock alone does not determine the files. */
function npmLockInstallation(found: LockFile, { platform }: TargetSystem): Installation {
  const lock = readNpmProject(found);
  const plan = planNpm(lock, found.member, platform);
  const [reason, ...more] = plan.needsNpm;
  if (reason === undefined) return npmInstallation(lock, plan, found, platform);
  const others = more.length === 0 ? "" : `, and ${more.length} more like it`;
  return withWarning(nodeToolInstallation("npm", found, platform), {
    message: `npm ci installs: ${reason}${others}`,
    hint: "what npm installs is not checked against the lock here; publish the package to a registry to do without npm",
  });
}

/**
 * Installs the external packages of a bundle from the project's lock, with their dependencies. The
 * versions must be those that the source was bundled with.
 */
function selectedInstallation(
  found: LockFile,
  { platform }: TargetSystem,
  only: ReadonlyMap<string, string>,
): Installation {
  if (found.way !== "npm-lock") throw unselectable(`${found.way} installs all that ${found.file} names`);
  const lock = selectFrom(readNpmProject(found), found.member, only);
  const plan = planNpm(lock, found.member, platform);
  const [reason] = plan.needsNpm;
  if (reason !== undefined) throw unselectable(reason);
  for (const { path, version } of plan.packages) {
    const bundled = only.get(path.replace(/^node_modules\//, ""));
    if (bundled === undefined || bundled === version) continue;
    throw lockInvalid(
      `${lock.file} has ${path} ${version}, and the source was bundled with ${bundled}`,
      "install what the lock names: npm ci",
    );
  }
  return npmInstallation(lock, plan, found, platform);
}

function unselectable(why: string): LambdaPackError {
  return misuse(
    `install cannot bring single packages for a bundle: ${why}`,
    "leave out install: packages with native code are taken from node_modules, installed for the target",
  );
}

/** Uses uv if packages of the lock have to be built. */
function pythonLockInstallation(found: LockFile, target: PythonTarget, selection: Selection): Installation {
  const plan = planPythonLock(found, target, selection);
  const [reason] = plan.needsTool;
  if (reason === undefined) return wheelInstallation(found, plan, target);
  if (found.way === "pylock") {
    throw unavailable(
      `${found.file} has what has to be built: ${plan.needsTool.join("; ")}`,
      "build a wheel of it, publish that, and write the lock again",
    );
  }
  return withWarning(pythonToolInstallation("uv", found, target, selection), {
    message: `uv installs: ${reason}`,
    hint: "what uv builds is built for this machine, and is right only where it is pure Python",
  });
}

function withWarning(installation: Installation, warning: Installation["warnings"][number]): Installation {
  return { ...installation, warnings: [...installation.warnings, warning] };
}

function pythonTarget(system: TargetSystem, { reference }: Base): PythonTarget {
  const target = pythonTargetOf(system);
  if (target) return target;
  throw unavailable(
    `the base ${reference} has no Python that packages could be for`,
    "choose a base with Python: lambda-pack bases python",
  );
}

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "../../oci/digest.ts";
import { field, object, optional } from "../../oci/json.ts";
import { collectInstalled } from "../archives.ts";
import type { LockFile } from "../detect.ts";
import type { Installation } from "../installation.ts";
import { integrityText } from "../integrity.ts";
import { parseToml } from "../lock-text.ts";
import type { Selection } from "../ways.ts";
import { pythonCredentials } from "./credentials.ts";
import { installWheels } from "./install.ts";
import { virtualEnvironments } from "./kept-files.ts";
import type { PythonPlan } from "./plan.ts";
import { planPylock } from "./pylock.ts";
import type { PythonTarget } from "./target.ts";
import { parseUvLock, planUvLock } from "./uv-lock.ts";

/** Must be raised with every change of the files that the same lock produces. */
const FORMAT = 1;
const CONNECTIONS = 8;

/**
 * Plans the installation of a uv.lock or pylock.toml for the target.
 * @throws LOCK_INVALID, DEPENDENCY_UNAVAILABLE
 */
export function planPythonLock(
  { directory, file, member, way }: LockFile,
  target: PythonTarget,
  selection: Selection,
): PythonPlan {
  const text = readFileSync(join(directory, file), "utf8");
  if (way === "pylock") return planPylock(text, file, target, selection);
  const groups = [...defaultGroups(join(directory, member, "pyproject.toml")), ...selection.groups];
  const lock = parseUvLock(text, file);
  return planUvLock(lock, member === "" ? "." : member, target, { ...selection, groups });
}

/** Returns the groups that `uv sync --no-dev` installs: `tool.uv.default-groups` without `dev`. */
function defaultGroups(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  const project = parseToml(readFileSync(path, "utf8"), path);
  const uv = optional(field(project, "tool"), (tool) => optional(field(tool, "uv"), object));
  const all = () => Object.keys(optional(field(project, "dependency-groups"), object) ?? {});
  const named = uv?.["default-groups"];
  const groups = named === "all" ? all() : named;
  return Array.isArray(groups) ? groups.map(String).filter((name) => name !== "dev") : [];
}

/** Returns the installation of a plan's wheels. */
export function wheelInstallation(
  { way, file, directory, member }: LockFile,
  plan: PythonPlan,
  target: PythonTarget,
): Installation {
  const packages = plan.packages.map(({ name, version, integrity, size }) => ({
    name,
    version,
    integrity: integrityText(integrity),
    size,
  }));
  const wanted = packages.map(({ size: _, ...one }) => one);
  return {
    way,
    lockFile: file,
    key: digestOf(JSON.stringify(["wheels", FORMAT, target, wanted])),
    packages,
    replaces: virtualEnvironments(join(directory, member)),
    warnings: [],
    async install(context) {
      const authorizationFor = pythonCredentials(context.environment);
      return collectInstalled(packages, context, { connections: CONNECTIONS }, (install) =>
        installWheels(plan.packages, authorizationFor, install),
      );
    },
  };
}

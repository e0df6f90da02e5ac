import type { LambdaPackError } from "../../errors.ts";
import { field, items, type Json, object, optional, string } from "../../oci/json.ts";
import type { Selection } from "../detect.ts";
import { type Integrity, integrityOfHex } from "../integrity.ts";
import { listIn, lockInvalid, MAX_ITEMS, parseToml, readLock } from "../lock-file.ts";
import { markerEnvironment, type PythonTarget } from "../target.ts";
import { evaluateMarker, type MarkerContext, normalizeName } from "./marker.ts";
import {
  checkNames,
  checkPython,
  chooseWheels,
  type LockedDistribution,
  type PythonPlan,
  parseWheel,
} from "./wheels.ts";

/** Strongest first. */
const ALGORITHMS = ["sha512", "sha384", "sha256"];

/**
 * Plans the installation of a pylock.toml (PEP 751, lock-version 1): packages whose marker is true
 * on the target. The default groups are always selected.
 * @throws LOCK_INVALID, DEPENDENCY_UNAVAILABLE
 */
export function planPylock(
  text: string,
  file: string,
  target: PythonTarget,
  selection: Selection,
): PythonPlan {
  return readLock(file, "the program that wrote it", () => {
    const root = parseToml(text, file);
    const version = string(field(root, "lock-version"));
    if (!/^1(?:\.|$)/.test(version)) throw invalid(`${file} has lock-version ${version}, and 1 can be read`);
    checkPython(file, optional(field(root, "requires-python"), string), target);
    const context = contextOf(root, file, target, selection);
    const packages = items(field(root, "packages"), MAX_ITEMS).filter((json) => isWanted(json, context));
    for (const json of packages) {
      const name = String(field(json, "name").value);
      checkPython(name, optional(field(json, "requires-python"), string), target);
    }
    const needsTool = packages.flatMap(reasonForTool);
    return {
      needsTool,
      packages: needsTool.length > 0 ? [] : chooseWheels(packages.map(parsePackage), target),
    };
  });
}

function contextOf(
  root: Json,
  file: string,
  target: PythonTarget,
  { extras, groups }: Selection,
): MarkerContext {
  const namesIn = (name: string) => listIn(root, name).map((one) => normalizeName(string(one)));
  checkNames(extras, namesIn("extras"), "extra", file);
  checkNames(groups, namesIn("dependency-groups"), "group", file);
  return {
    environment: markerEnvironment(target),
    extras: new Set(extras.map(normalizeName)),
    groups: new Set([...namesIn("default-groups"), ...groups.map(normalizeName)]),
  };
}

function isWanted(json: Json, context: MarkerContext): boolean {
  const marker = optional(field(json, "marker"), string);
  if (marker === undefined) return true;
  const value = evaluateMarker(marker, context);
  if (value === undefined) throw invalid(`${json.path}.marker cannot be read: ${marker}`);
  return value;
}

function reasonForTool(json: Json): readonly string[] {
  const kind = ["vcs", "directory", "archive"].find((name) => field(json, name).value !== undefined);
  return kind === undefined ? [] : [`${string(field(json, "name"))} has a source of the kind ${kind}`];
}

function parsePackage(json: Json): LockedDistribution {
  return {
    name: string(field(json, "name")),
    version: optional(field(json, "version"), string) ?? "",
    wheels: listIn(json, "wheels").flatMap((wheel) => parseWheel(wheel, strongest)),
    hasSource: field(json, "sdist").value !== undefined,
  };
}

function strongest(json: Json): Integrity | undefined {
  const values = optional(field(json, "hashes"), object) ?? {};
  const algorithm = ALGORITHMS.find((name) => typeof values[name] === "string");
  return algorithm === undefined ? undefined : integrityOfHex(algorithm, String(values[algorithm]));
}

function invalid(message: string): LambdaPackError {
  return lockInvalid(message, "write the lock again, or choose another base: lambda-pack bases python");
}

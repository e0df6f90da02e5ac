import { basename } from "node:path";
import { count, field, type Json, optional, string } from "../../oci/json.ts";
import type { Integrity } from "../integrity.ts";
import { lockInvalid, unavailable, usage } from "../refusals.ts";
import { normalizeName } from "./marker.ts";
import { type PythonTarget, pythonTargetName } from "./target.ts";
import { satisfiesAll } from "./version.ts";
import { bestWheel, describeWheels } from "./wheels.ts";

/** A wheel of a package in a lock. */
export interface LockedWheel {
  /** `numpy-2.0.0-cp312-cp312-manylinux_2_28_x86_64.whl`. */
  readonly file: string;
  readonly url: string;
  readonly integrity: Integrity | undefined;
  /** Size in bytes; undefined if the lock does not contain it. */
  readonly size: number | undefined;
}

/** A package of the lock that the target needs. */
export interface LockedDistribution {
  readonly name: string;
  readonly version: string;
  readonly wheels: readonly LockedWheel[];
  /** Whether there is a source distribution, which would have to be built. */
  readonly hasSource: boolean;
}

/** A wheel to unpack. */
export interface PythonPackage {
  readonly name: string;
  readonly version: string;
  readonly url: string;
  readonly integrity: Integrity;
  readonly size: number | undefined;
}

export interface PythonPlan {
  readonly packages: readonly PythonPackage[];
  /** The reasons why another program has to install instead; empty if there is none. */
  readonly needsTool: readonly string[];
}

/** Checks a `requires-python`. @throws LOCK_INVALID if the target has another version */
export function checkPython(what: string, requires: string | undefined, { minor }: PythonTarget): void {
  if (requires === undefined || satisfiesAll(`3.${minor}.99`, requires)) return;
  throw lockInvalid(
    `${what} is for Python ${requires}, and the base has 3.${minor}`,
    "choose another base, or change requires-python in pyproject.toml and write the lock again",
  );
}

/**
 * Parses a wheel of a lock. One without a URL is in a local directory, where only the tool that
 * wrote the lock can find it.
 */
export function parseWheel(
  json: Json,
  integrityOf: (json: Json) => Integrity | undefined,
): readonly LockedWheel[] {
  const url = optional(field(json, "url"), string);
  if (url === undefined || !URL.canParse(url)) return [];
  const file = optional(field(json, "name"), string) ?? decodeURIComponent(basename(new URL(url).pathname));
  return [{ file, url, integrity: integrityOf(json), size: optional(field(json, "size"), count) }];
}

/** Checks the names of extras or groups. @throws USAGE for one that the lock does not have */
export function checkNames(
  wanted: readonly string[],
  known: readonly string[],
  kind: "extra" | "group",
  file: string,
): void {
  const unknown = wanted.find((name) => !known.includes(normalizeName(name)));
  if (unknown === undefined) return;
  const there = known.length === 0 ? `it has no ${kind}s` : `it has ${known.join(", ")}`;
  throw usage(
    `${file} has no ${kind} ${unknown}: ${there}`,
    `correct the name, or write the lock again after adding it to pyproject.toml`,
  );
}

/**
 * Chooses the best wheel of each package for the target.
 * @throws DEPENDENCY_UNAVAILABLE with a line for each package that has none; LOCK_INVALID for a
 * wheel without a hash
 */
export function chooseWheels(
  wanted: readonly LockedDistribution[],
  target: PythonTarget,
): readonly PythonPackage[] {
  const missing: string[] = [];
  const packages = wanted.flatMap(({ name, version, wheels, hasSource }) => {
    const wheel = bestWheel(wheels, target);
    if (!wheel) missing.push(missingWheel({ name, version, wheels, hasSource }, target));
    return wheel ? [{ name, version, url: wheel.url, integrity: hashOf(wheel), size: wheel.size }] : [];
  });
  if (missing.length > 0) {
    throw unavailable(
      missing.join("\n"),
      "choose versions that have such wheels, or a base image with a newer system: lambda-pack bases python",
    );
  }
  return packages.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function hashOf({ file, integrity }: LockedWheel): Integrity {
  if (integrity) return integrity;
  throw lockInvalid(
    `the lock has no hash that can be checked for ${file}`,
    "write the lock again with hashes",
  );
}

function missingWheel(
  { name, version, wheels, hasSource }: LockedDistribution,
  target: PythonTarget,
): string {
  const there = describeWheels(
    wheels.map(({ file }) => file),
    target,
  );
  const shown =
    there.length > 4 ? `${there.slice(0, 4).join(", ")} and ${there.length - 4} more` : there.join(", ");
  const source = hasSource ? "a source distribution, which would have to be compiled" : "nothing";
  return `${name} ${version} has no wheel for ${pythonTargetName(target)}; there is ${shown === "" ? source : shown}`;
}

import { basename } from "node:path";
import { misuse } from "../../errors.ts";
import { count, field, type Json, optional, string } from "../../oci/json.ts";
import type { Integrity } from "../integrity.ts";
import { lockInvalid, unavailable } from "../lock-file.ts";
import { type PythonTarget, pythonTargetName } from "../target.ts";
import { normalizeName, satisfiesAll } from "./marker.ts";

/** A wheel of a package in a lock. */
interface LockedWheel {
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
  const file = optional(field(json, "name"), string) ?? fileIn(url, json.path);
  return [{ file, url, integrity: integrityOf(json), size: optional(field(json, "size"), count) }];
}

function fileIn(url: string, where: string): string {
  const file = basename(new URL(url).pathname);
  try {
    return decodeURIComponent(file);
  } catch {
    throw lockInvalid(`${where}.url has a damaged percent escape: ${file}`, "write the lock again");
  }
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
  throw misuse(
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

/** Returns the compatibility tags in the name of a wheel (PEP 427). */
function tagsOf(file: string) {
  const parts = /\.whl$/i.test(file) ? file.slice(0, -4).split("-") : [];
  if (parts.length !== 5 && parts.length !== 6) return undefined;
  const [pythons = "", abis = "", platforms = ""] = parts.slice(-3).map((part) => part.toLowerCase());
  return { pythons: pythons.split("."), abis: abis.split("."), platforms: platforms.split(".") };
}

/** Older names of these platforms (PEP 600). */
const OLD_NAMES: Readonly<Record<number, string>> = {
  17: "manylinux2014",
  12: "manylinux2010",
  5: "manylinux1",
};

/**
 * Returns the platform tags that the target supports, the best first: from the newest libc to the
 * oldest, then any Linux.
 */
export function platformTags({ machine, libc }: PythonTarget): readonly string[] {
  const tags: string[] = [];
  // manylinux for aarch64 starts with manylinux2014 (PEP 599).
  const oldest = libc.kind === "musl" ? 1 : machine === "aarch64" ? 17 : 5;
  for (let minor = libc.minor; minor >= oldest; minor--) {
    tags.push(libc.kind === "musl" ? `musllinux_1_${minor}_${machine}` : `manylinux_2_${minor}_${machine}`);
    const old = libc.kind === "glibc" ? OLD_NAMES[minor] : undefined;
    if (old !== undefined) tags.push(`${old}_${machine}`);
  }
  return [...tags, `linux_${machine}`];
}

/**
 * Returns the pairs of Python and ABI tags that the target supports, in pip's order of preference
 * (packaging, `tags.py`).
 */
function interpreterTags({ minor }: PythonTarget): readonly string[] {
  const down = Array.from({ length: minor - 1 }, (_, index) => minor - 1 - index);
  return [
    `cp3${minor}-cp3${minor}`,
    `cp3${minor}-abi3`,
    `cp3${minor}-none`,
    ...down.map((older) => `cp3${older}-abi3`),
    `py3${minor}-none`,
    "py3-none",
    ...down.map((older) => `py3${older}-none`),
  ];
}

/** Returns the rank of a wheel, 0 is the best; undefined if it does not fit. */
function rankOf(file: string, target: PythonTarget): number | undefined {
  const tags = tagsOf(file);
  if (!tags) return undefined;
  const platforms = platformTags(target);
  const interpreters = interpreterTags(target);
  const pairs = tags.pythons.flatMap((python) => tags.abis.map((abi) => `${python}-${abi}`));
  const interpreter = Math.min(...pairs.flatMap((pair) => found(interpreters, pair)));
  const platform = Math.min(
    ...tags.platforms.flatMap((name) => (name === "any" ? platforms.length : found(platforms, name))),
  );
  const rank = interpreter * (platforms.length + 1) + platform;
  return Number.isFinite(rank) ? rank : undefined;
}

function found(list: readonly string[], item: string): readonly number[] {
  const index = list.indexOf(item);
  return index < 0 ? [] : [index];
}

/** Returns the wheel that fits the target best, as pip would choose it. */
export function bestWheel<T extends { readonly file: string }>(
  wheels: readonly T[],
  target: PythonTarget,
): T | undefined {
  const ranked = wheels.flatMap((wheel) => {
    const rank = rankOf(wheel.file, target);
    return rank === undefined ? [] : [{ wheel, rank }];
  });
  return ranked.sort((a, b) => a.rank - b.rank || (a.wheel.file < b.wheel.file ? -1 : 1))[0]?.wheel;
}

/** Describes the targets of the existing wheels for a message: `cp312 manylinux_2_28_x86_64`. */
export function describeWheels(files: readonly string[], { minor }: PythonTarget): readonly string[] {
  const all = files.flatMap((file) => {
    const tags = tagsOf(file);
    return tags ? [{ tags, text: `${tags.pythons.join(".")} ${tags.platforms.join(".")}` }] : [];
  });
  const own = all.filter(({ tags }) =>
    tags.pythons.some((python) => [`cp3${minor}`, "py3"].includes(python)),
  );
  return [...new Set((own.length > 0 ? own : all).map(({ text }) => text))].sort();
}

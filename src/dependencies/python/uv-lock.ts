import { field, type Json, object, optional, string } from "../../oci/json.ts";
import type { Selection } from "../detect.ts";
import { type Integrity, integrityOfHex } from "../integrity.ts";
import { listIn, lockInvalid, parseToml, readLock } from "../lock-file.ts";
import { markerEnvironment, type PythonTarget } from "../target.ts";
import { evaluateMarker, normalizeName } from "./marker.ts";
import {
  checkNames,
  checkPython,
  chooseWheels,
  type LockedDistribution,
  type PythonPlan,
  parseWheel,
} from "./wheels.ts";

interface UvPackage extends LockedDistribution {
  /**
   * The kind, such as `registry`, `url`, `git`, `editable`, `virtual`, `directory` or `path`, with
   * its value.
   */
  readonly source: { readonly kind: string; readonly place: string; readonly text: string };
  readonly dependencies: readonly UvDependency[];
  readonly extras: ReadonlyMap<string, readonly UvDependency[]>;
  /** Dependency groups; only those of the project are used. */
  readonly groups: ReadonlyMap<string, readonly UvDependency[]>;
}

interface UvDependency {
  readonly name: string;
  /** Set if the lock has several packages with this name. */
  readonly version: string | undefined;
  readonly source: string | undefined;
  readonly extras: readonly string[];
  readonly marker: string | undefined;
}

interface UvLock {
  readonly file: string;
  readonly requiresPython: string | undefined;
  readonly packages: readonly UvPackage[];
  /** Whether sets of extras exclude each other, which only uv can resolve. */
  readonly hasConflicts: boolean;
}

/** Parses a uv.lock. @throws LOCK_INVALID if it is not one of version 1 */
export function parseUvLock(text: string, file: string): UvLock {
  return readLock(file, "uv lock", () => {
    const root = parseToml(text, file);
    const version = field(root, "version").value;
    if (version !== 1) {
      throw lockInvalid(
        `${file} has version ${String(version)}, and 1 can be read`,
        "install with uv: --install=uv",
      );
    }
    return {
      file,
      requiresPython: optional(field(root, "requires-python"), string),
      packages: listIn(root, "package").map(parsePackage),
      hasConflicts: listIn(root, "conflicts").length > 0,
    };
  });
}

function parsePackage(json: Json): UvPackage {
  const source = field(json, "source");
  const [kind = "registry"] = Object.keys(object(source)).filter((name) => name !== "subdirectory");
  return {
    name: string(field(json, "name")),
    version: optional(field(json, "version"), string) ?? "0",
    source: { kind, place: String(field(source, kind).value), text: JSON.stringify(source.value) },
    dependencies: dependenciesIn(json, "dependencies"),
    extras: dependencySets(field(json, "optional-dependencies")),
    groups: dependencySets(field(json, "dev-dependencies")),
    wheels: listIn(json, "wheels").flatMap((wheel) => parseWheel(wheel, hashOf)),
    hasSource: field(json, "sdist").value !== undefined,
  };
}

function dependencySets(json: Json): ReadonlyMap<string, readonly UvDependency[]> {
  const names = Object.keys(optional(json, object) ?? {});
  return new Map(names.map((name) => [normalizeName(name), dependenciesIn(json, name)]));
}

function dependenciesIn(json: Json, name: string): readonly UvDependency[] {
  return listIn(json, name).map((one) => ({
    name: string(field(one, "name")),
    version: optional(field(one, "version"), string),
    source: optional(field(one, "source"), (source) => JSON.stringify(source.value)),
    extras: listIn(one, "extra").map(string),
    marker: optional(field(one, "marker"), string),
  }));
}

function hashOf(json: Json): Integrity | undefined {
  const [algorithm = "", hex = ""] = (optional(field(json, "hash"), string) ?? "").split(":");
  return integrityOfHex(algorithm, hex);
}

/**
 * Plans the packages of the project in the directory `member`, with the selected extras and groups.
 * `member` is relative to the lock; `.` is the lock's own directory.
 * @throws LOCK_INVALID, DEPENDENCY_UNAVAILABLE; USAGE for an extra or group that the project does
 * not have
 */
export function planUvLock(
  lock: UvLock,
  member: string,
  target: PythonTarget,
  selection: Selection,
): PythonPlan {
  const project = lock.packages.find(({ source: { kind, place } }) => isLocal(kind) && place === member);
  if (!project) {
    throw lockInvalid(
      `${lock.file} has no package in the directory ${member}`,
      "write the lock again: uv lock",
    );
  }
  checkPython(lock.file, lock.requiresPython, target);
  checkNames(selection.extras, [...project.extras.keys()], "extra", lock.file);
  checkNames(selection.groups, [...project.groups.keys()], "group", lock.file);
  const wanted = reachable(lock, project, target, selection);
  const needsTool = [
    ...(lock.hasConflicts ? [`${lock.file} has extras or groups that exclude one another`] : []),
    ...wanted.flatMap(({ name, source: { kind } }) =>
      kind === "registry" || kind === "url" ? [] : [`${name} has a source of the kind ${kind}`],
    ),
  ];
  return { needsTool, packages: needsTool.length > 0 ? [] : chooseWheels(wanted, target) };
}

function isLocal(kind: string): boolean {
  return kind === "virtual" || kind === "editable" || kind === "directory";
}

/** Returns the packages that the project needs, each with the extras that are asked for. */
function reachable(
  lock: UvLock,
  project: UvPackage,
  target: PythonTarget,
  { extras, groups }: Selection,
): readonly UvPackage[] {
  const environment = markerEnvironment(target);
  const needs = [
    ...project.dependencies,
    ...extras.flatMap((name) => project.extras.get(normalizeName(name)) ?? []),
    ...groups.flatMap((name) => project.groups.get(normalizeName(name)) ?? []),
  ];
  const found = new Map<UvPackage, Set<string>>([[project, new Set([""])]]);
  // The iteration of an array includes items that are added during it.
  for (const need of needs) {
    if (!applies(lock, need.marker, environment)) continue;
    const from = resolve(lock, need);
    const seen = found.get(from) ?? new Set();
    found.set(from, seen);
    const wanted = ["", ...need.extras.map(normalizeName)].filter((extra) => !seen.has(extra));
    for (const extra of wanted) {
      seen.add(extra);
      needs.push(...(extra === "" ? from.dependencies : (from.extras.get(extra) ?? [])));
    }
  }
  found.delete(project);
  return [...found.keys()];
}

const NONE: ReadonlySet<string> = new Set();

function applies(
  lock: UvLock,
  marker: string | undefined,
  environment: Readonly<Record<string, string>>,
): boolean {
  if (marker === undefined) return true;
  const value = evaluateMarker(marker, { environment, extras: NONE, groups: NONE });
  if (value !== undefined) return value;
  throw lockInvalid(
    `${lock.file} has the marker ${marker}, which cannot be read`,
    "install with uv: --install=uv",
  );
}

function resolve({ file, packages }: UvLock, { name, version, source }: UvDependency): UvPackage {
  const found = packages.find(
    (one) =>
      one.name === name &&
      (version === undefined || one.version === version) &&
      (source === undefined || one.source.text === source),
  );
  if (found) return found;
  throw lockInvalid(
    `${file} has no package ${name}${version === undefined ? "" : ` ${version}`}`,
    "write the lock again: uv lock",
  );
}

import { LambdaPackError } from "../../errors.ts";
import { type TargetPlatform, targetName } from "../target.ts";
import type { LockedPackage, NpmLock } from "./lock.ts";
import { edgesOf, fits } from "./resolve.ts";

/**
 * Returns the entries that the project at `start` needs on the target, sorted by path, without its
 * development dependencies. An optional dependency that does not fit the target is left out with
 * everything that only it needs, as in npm.
 * @throws DEPENDENCY_UNAVAILABLE for a required package that does not fit the target; LOCK_INVALID
 * for one that the lock lacks
 */
export function wantedEntries(
  lock: NpmLock,
  start: LockedPackage,
  target: TargetPlatform,
): readonly LockedPackage[] {
  const unfit = unfitEntries(lock, target);
  checkNeeds(lock, start, { unfit, target });
  const seen = new Set<LockedPackage>();
  const visit = (from: LockedPackage): void => {
    for (const { to } of edgesOf(lock, from)) if (to && !unfit.has(to)) seen.add(to);
  };
  visit(start);
  // The iteration of a Set includes items that are added during it.
  for (const from of seen) visit(from);
  return [...seen].sort((a, b) => (a.path < b.path ? -1 : 1));
}

interface Fitness {
  readonly unfit: ReadonlySet<LockedPackage>;
  readonly target: TargetPlatform;
}

/**
 * Checks the direct dependencies of the project. All others fit, because an entry with an unfit
 * requirement is unfit itself.
 */
function checkNeeds(lock: NpmLock, start: LockedPackage, { unfit, target }: Fitness): void {
  for (const { name, to, kind } of edgesOf(lock, start)) {
    if (kind !== "required") continue;
    if (!to) throw missing(lock, start, name);
    if (unfit.has(to)) throw unavailable(lock, to, { from: start, target });
  }
}

/** Returns the entries that do not fit the target, and those that require one of them. */
function unfitEntries(lock: NpmLock, target: TargetPlatform): ReadonlySet<LockedPackage> {
  const entries = [...lock.packages.values()];
  const dependents = new Map<LockedPackage, LockedPackage[]>(entries.map((entry) => [entry, []]));
  for (const from of entries) for (const to of needsOf(lock, from).present) dependents.get(to)?.push(from);
  const unfit = new Set(
    entries.filter((entry) => !fits(entry, target) || needsOf(lock, entry).lacking !== undefined),
  );
  for (const entry of unfit) for (const from of dependents.get(entry) ?? []) unfit.add(from);
  return unfit;
}

interface Needs {
  /** The entries in the lock that this one requires. */
  readonly present: readonly LockedPackage[];
  /** The first required name that the lock lacks. */
  readonly lacking: string | undefined;
}

function needsOf(lock: NpmLock, entry: LockedPackage): Needs {
  const needs = edgesOf(lock, entry).filter(({ kind }) => kind !== "optional");
  return {
    present: needs.flatMap(({ to }) => to ?? []),
    lacking: needs.find(({ to, kind }) => kind === "required" && !to)?.name,
  };
}

interface Unavailable {
  readonly from: LockedPackage;
  readonly target: TargetPlatform;
}

function unavailable(lock: NpmLock, entry: LockedPackage, { from, target }: Unavailable): LambdaPackError {
  const { culprit, chain } = culpritOf(lock, entry, target);
  if (typeof culprit === "string") return missing(lock, chain.at(-1) ?? entry, culprit);
  const only = [culprit.os, culprit.cpu, culprit.libc].filter((list) => list.length > 0);
  const why = [from, ...chain.slice(0, -1)].map((one) => one.path || "the project").join(" > ");
  return new LambdaPackError(
    "DEPENDENCY_UNAVAILABLE",
    `${nameOf(culprit)} is not for ${targetName(target)} but for ${only.map((list) => list.join(", ")).join("; ")}; ${why} needs it`,
    { hint: "make it an optional dependency, or take a package that has builds for Linux" },
  );
}

interface Culprit {
  /** The entry that does not fit, or the name that the lock lacks. */
  readonly culprit: LockedPackage | string;
  /**
   * The path from the given entry to the one that does not fit, or that requires the missing one.
   */
  readonly chain: readonly LockedPackage[];
}

/** Finds the cause by following required edges, the shortest path first. */
function culpritOf(lock: NpmLock, entry: LockedPackage, target: TargetPlatform): Culprit {
  const chains = new Map<LockedPackage, readonly LockedPackage[]>([[entry, [entry]]]);
  for (const [last, chain] of chains) {
    if (!fits(last, target)) return { culprit: last, chain };
    const { present, lacking } = needsOf(lock, last);
    if (lacking !== undefined) return { culprit: lacking, chain };
    for (const to of present) if (!chains.has(to)) chains.set(to, [...chain, to]);
  }
  return { culprit: entry, chain: [entry] };
}

function missing({ file }: NpmLock, from: LockedPackage, name: string): LambdaPackError {
  return new LambdaPackError(
    "LOCK_INVALID",
    `${file} has no entry for ${name}, which ${from.path === "" ? "the project" : nameOf(from)} depends on`,
    { hint: "bring the lock up to date: npm install" },
  );
}

export function nameOf({ name, version }: LockedPackage): string {
  return version === undefined ? name : `${name}@${version}`;
}

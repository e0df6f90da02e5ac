import type { LambdaPackError } from "../../errors.ts";
import { lockInvalid, unavailable } from "../refusals.ts";
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
  // All other entries fit, because an entry with an unfit requirement is unfit itself.
  for (const { name, to, kind } of edgesOf(lock, start)) {
    if (kind !== "required") continue;
    if (!to) throw missing(lock, start, name);
    if (unfit.has(to)) throw unfitError(lock, [start, to], { unfit, target });
  }
  const seen = new Set<LockedPackage>();
  const visit = (from: LockedPackage): void => {
    for (const { to } of edgesOf(lock, from)) if (to && !unfit.has(to)) seen.add(to);
  };
  visit(start);
  // The iteration of a Set includes items that are added during it.
  for (const from of seen) visit(from);
  return [...seen].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * The entries that cannot be installed, each with the required entry that is the reason, which is
 * undefined if the entry itself does not fit the target or the lock lacks a requirement.
 */
type UnfitEntries = ReadonlyMap<LockedPackage, LockedPackage | undefined>;

function unfitEntries(lock: NpmLock, target: TargetPlatform): UnfitEntries {
  const entries = [...lock.packages.values()];
  const dependents = dependentsIn(lock, entries);
  const unfit = new Map<LockedPackage, LockedPackage | undefined>(
    entries
      .filter((entry) => !fits(entry, target) || lackedBy(lock, entry) !== undefined)
      .map((entry) => [entry, undefined]),
  );
  for (const entry of unfit.keys())
    for (const from of dependents.get(entry) ?? []) if (!unfit.has(from)) unfit.set(from, entry);
  return unfit;
}

function dependentsIn(lock: NpmLock, entries: readonly LockedPackage[]) {
  const dependents = new Map<LockedPackage, LockedPackage[]>(entries.map((entry) => [entry, []]));
  for (const from of entries)
    for (const { to, kind } of edgesOf(lock, from))
      if (to && kind !== "optional") dependents.get(to)?.push(from);
  return dependents;
}

function lackedBy(lock: NpmLock, entry: LockedPackage): string | undefined {
  return edgesOf(lock, entry).find(({ to, kind }) => kind === "required" && !to)?.name;
}

function unfitError(
  lock: NpmLock,
  chain: readonly [LockedPackage, LockedPackage],
  { unfit, target }: { readonly unfit: UnfitEntries; readonly target: TargetPlatform },
): LambdaPackError {
  const needing: LockedPackage[] = [chain[0]];
  let [, culprit] = chain;
  for (let next = unfit.get(culprit); next; next = unfit.get(next)) {
    needing.push(culprit);
    culprit = next;
  }
  const lacking = lackedBy(lock, culprit);
  if (fits(culprit, target) && lacking !== undefined) return missing(lock, culprit, lacking);
  const only = [culprit.os, culprit.cpu, culprit.libc].filter((list) => list.length > 0);
  const why = needing.map((one) => one.path || "the project").join(" > ");
  return unavailable(
    `${nameOf(culprit)} is not for ${targetName(target)} but for ${only.map((list) => list.join(", ")).join("; ")}; ${why} needs it`,
    "make it an optional dependency, or take a package that has builds for Linux",
  );
}

function missing({ file }: NpmLock, from: LockedPackage, name: string): LambdaPackError {
  return lockInvalid(
    `${file} has no entry for ${name}, which ${from.path === "" ? "the project" : nameOf(from)} depends on`,
    "bring the lock up to date: npm install",
  );
}

export function nameOf({ name, version }: LockedPackage): string {
  return version === undefined ? name : `${name}@${version}`;
}

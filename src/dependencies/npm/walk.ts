import { LambdaPackError } from "../../errors.ts";
import { type TargetPlatform, targetName } from "../target.ts";
import type { LockedPackage, NpmLock } from "./lock.ts";
import { edgesOf, fits } from "./resolve.ts";

/**
 * The entries of the lock that the project at `start` needs on the target, without its development dependencies; sorted by path.
 * An optional dependency that does not fit is left out with all that only it needs, as npm does.
 * @throws DEPENDENCY_UNAVAILABLE for a required package that does not fit the target; LOCK_INVALID for one that the lock lacks.
 */
export function wantedEntries(lock: NpmLock, start: LockedPackage, target: TargetPlatform): readonly LockedPackage[] {
  const unfit = unfitEntries(lock, target);
  const seen = new Set<LockedPackage>();
  const pending: LockedPackage[] = [start];
  for (let from = pending.pop(); from; from = pending.pop()) {
    for (const { name, to, kind } of edgesOf(lock, from)) {
      if (kind === "required" && !to) throw missing(lock, from, name);
      if (!to || seen.has(to)) continue;
      if (unfit.has(to) && kind === "required") throw unavailable(lock, to, { from, target });
      if (unfit.has(to)) continue;
      seen.add(to);
      pending.push(to);
    }
  }
  return [...seen].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Entries that do not fit the target, and those that cannot do without one of them. */
function unfitEntries(lock: NpmLock, target: TargetPlatform): ReadonlySet<LockedPackage> {
  const dependents = new Map<LockedPackage, LockedPackage[]>();
  const unfit = new Set<LockedPackage>();
  for (const from of lock.packages.values()) {
    if (!fits(from, target)) unfit.add(from);
    for (const { to, kind } of edgesOf(lock, from)) {
      if (kind === "optional") continue;
      if (to) dependents.set(to, [...(dependents.get(to) ?? []), from]);
      else if (kind === "required") unfit.add(from);
    }
  }
  // A set that grows while it is gone through: each new entry is visited too.
  for (const entry of unfit) for (const from of dependents.get(entry) ?? []) unfit.add(from);
  return unfit;
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

/** Follows required edges from an unfit entry to the one that does not fit, or to the name that the lock lacks. */
function culpritOf(
  lock: NpmLock,
  entry: LockedPackage,
  target: TargetPlatform,
): { readonly culprit: LockedPackage | string; readonly chain: readonly LockedPackage[] } {
  const paths: (readonly LockedPackage[])[] = [[entry]];
  const seen = new Set<LockedPackage>([entry]);
  for (const chain of paths) {
    const last = chain.at(-1) ?? entry;
    if (!fits(last, target)) return { culprit: last, chain };
    for (const { name, to, kind } of edgesOf(lock, last)) {
      if (kind === "required" && !to) return { culprit: name, chain };
      if (kind === "optional" || !to || seen.has(to)) continue;
      seen.add(to);
      paths.push([...chain, to]);
    }
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

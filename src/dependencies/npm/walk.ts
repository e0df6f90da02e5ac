import { posix } from "node:path";
import type { LambdaPackError } from "../../errors.ts";
import { lockInvalid, unavailable } from "../lock-file.ts";
import { type TargetPlatform, targetName } from "../target.ts";
import type { LockedPackage, NpmLock } from "./lock.ts";

/** How one entry of a lock depends on another. */
interface Edge {
  /** The required name, which can be an alias. */
  readonly name: string;
  /** The entry that Node would find; undefined if the lock has none. */
  readonly to: LockedPackage | undefined;
  /** `required`: the package does not work without it. `peer`: its dependent has to provide it. */
  readonly kind: "required" | "optional" | "peer";
}

/** Returns the edges of an entry, without development dependencies. */
export function edgesOf(lock: NpmLock, from: LockedPackage): readonly Edge[] {
  if (from.link) return [{ name: from.name, to: targetOf(lock, from), kind: "required" }];
  const { dependencies, optionalDependencies, peerDependencies } = from;
  const edge = (kind: Edge["kind"]) => (name: string) => ({ name, to: find(lock, from.path, name), kind });
  const required = Object.keys(dependencies).filter((name) => optionalDependencies[name] === undefined);
  return [
    ...required.map(edge("required")),
    ...Object.keys(optionalDependencies).map(edge("optional")),
    ...Object.keys(peerDependencies).map(edge("peer")),
    ...(from.hasWorkspaces ? workspacesOf(lock) : []),
  ];
}

/**
 * Returns edges to all workspaces: the project needs them even if it does not name them (npm docs,
 * "Workspaces").
 */
function workspacesOf({ packages }: NpmLock): readonly Edge[] {
  return [...packages.values()]
    .filter(({ link, dev, path }) => link && !dev && path.lastIndexOf("node_modules/") === 0)
    .map((to) => ({ name: to.name, to, kind: "required" }));
}

/** Returns the entry of the directory that a link points to. */
export function targetOf({ packages }: NpmLock, { resolved = "" }: LockedPackage): LockedPackage | undefined {
  return packages.get(posix.normalize(resolved));
}

/** Looks up `name` in the `node_modules` of each directory from `from` upwards, as Node does. */
function find({ packages }: NpmLock, from: string, name: string): LockedPackage | undefined {
  for (let directory = from; ; directory = parentOf(directory)) {
    const path = directory === "" ? `node_modules/${name}` : `${directory}/node_modules/${name}`;
    const found = packages.get(path);
    if (found || directory === "") return found;
  }
}

/** Returns the next directory to search; Node skips directories named `node_modules`. */
function parentOf(path: string): string {
  const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
  return /(?:^|\/)node_modules$/.test(parent) ? parentOf(parent) : parent;
}

/** Returns whether an entry's `os`, `cpu` and `libc` allow the target (npm docs, package.json). */
export function fits({ os, cpu, libc }: LockedPackage, target: TargetPlatform): boolean {
  return allows(os, target.os) && allows(cpu, target.cpu) && allows(libc, target.libc);
}

function allows(list: readonly string[], value: string): boolean {
  if (list.length === 0 || (list.length === 1 && list[0] === "any")) return true;
  if (list.includes(`!${value}`)) return false;
  return list.includes(value) || list.every((one) => one.startsWith("!"));
}

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

import { posix } from "node:path";
import type { TargetPlatform } from "../target.ts";
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

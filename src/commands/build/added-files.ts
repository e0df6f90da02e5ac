import type { Collection } from "../../layer/collect.ts";
import { findDistributions } from "../../layer/packages.ts";
import type { Entry } from "../../tar/entry.ts";
import { BASE_MODES } from "./collect.ts";

/** Returns files that are not from the source directory as if they had been collected from one. */
export function collectionOf(
  entries: readonly Entry[],
  distributions: Collection["distributions"] = [],
): Collection {
  return {
    files: entries.map((entry) => ({ path: entry.path, entry })),
    count: entries.filter(({ kind }) => kind !== "directory").length,
    bytes: entries.reduce((sum, entry) => sum + (entry.kind === "file" ? entry.size : 0), 0),
    warnings: [],
    distributions,
    directoryModes: BASE_MODES,
  };
}

/** Finds the installed Python packages among files. */
export function distributionsIn(entries: readonly Entry[]): Collection["distributions"] {
  return findDistributions(entries.map((entry) => ({ path: entry.path, entry })));
}

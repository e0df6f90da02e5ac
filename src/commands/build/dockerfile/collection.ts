import { closeSync, openSync, readSync } from "node:fs";
import type { StageFiles } from "../../../dockerfile/stage-files.ts";
import type { Collection, SourceFile } from "../../../layer/collect.ts";
import { unreadable } from "../../../layer/encode/source.ts";
import { findDistributions, tellsOfDistribution } from "../../../layer/python.ts";
import type { FileEntry } from "../../../tar/entry.ts";
import { BASE_MODES } from "../collect.ts";

/** The files of a stage as a build packs them. Their paths are those in the image. */
export function collectionOf(stage: StageFiles): Collection {
  const files: readonly SourceFile[] = stage
    .entries(BASE_MODES)
    .map((entry) => ({ path: entry.path, entry }));
  const entries = files.map(({ entry }) => entry);
  const regular = entries.filter((entry) => entry.kind === "file");
  const installed = new Map(
    regular.map((entry) => [entry.path, entry] as const).filter(([path]) => tellsOfDistribution(path)),
  );
  return {
    files,
    count: entries.filter(({ kind }) => kind !== "directory").length,
    bytes: regular.reduce((sum, { size }) => sum + size, 0),
    warnings: [],
    distributions: findDistributions(installed.keys(), (path) => readEntry(installed.get(path))),
    directoryModes: BASE_MODES,
  };
}

function readEntry(entry: FileEntry | undefined): string {
  if (!entry) return "";
  const { source, offset = 0, size } = entry;
  const bytes = Buffer.alloc(size);
  try {
    const descriptor = openSync(source, "r");
    try {
      return bytes.toString("utf8", 0, readSync(descriptor, bytes, 0, size, offset));
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw unreadable(source, error);
  }
}

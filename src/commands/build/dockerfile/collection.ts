import type { StageFiles } from "../../../dockerfile/stage-files.ts";
import type { Collection, SourceFile } from "../../../layer/collect.ts";
import { readText } from "../../../layer/encode/source.ts";
import { findDistributions, tellsOfDistribution } from "../../../layer/python.ts";
import { BASE_MODES } from "../collect.ts";

/** Returns the files of a stage as a collection to pack, with their paths in the image. */
export function collectionOf(stage: StageFiles): Collection {
  const files: readonly SourceFile[] = stage
    .entries(BASE_MODES)
    .map((entry) => ({ path: entry.path, entry }));
  const entries = files.map(({ entry }) => entry);
  const regular = entries.filter((entry) => entry.kind === "file");
  const described = new Map(
    regular.map((entry) => [entry.path, entry] as const).filter(([path]) => tellsOfDistribution(path)),
  );
  return {
    files,
    count: entries.filter(({ kind }) => kind !== "directory").length,
    bytes: regular.reduce((sum, { size }) => sum + size, 0),
    warnings: [],
    distributions: findDistributions(described.keys(), (path) => {
      const entry = described.get(path);
      return entry ? readText(entry) : "";
    }),
    installed: stage.installedPaths(),
    directoryModes: BASE_MODES,
  };
}

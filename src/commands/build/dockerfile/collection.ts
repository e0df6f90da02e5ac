import type { StageFiles } from "../../../dockerfile/stage-files.ts";
import type { Collection } from "../../../layer/collect.ts";
import { collectionOf, distributionsIn } from "../added-files.ts";
import { BASE_MODES } from "../collect.ts";

/** Returns the files of a stage as a collection to pack, with their paths in the image. */
export function stageCollection(stage: StageFiles): Collection {
  const entries = stage.entries(BASE_MODES);
  return { ...collectionOf(entries, distributionsIn(entries)), installed: stage.installedPaths() };
}

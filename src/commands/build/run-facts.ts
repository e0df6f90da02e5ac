import type { BaseSource } from "../../base/base.ts";
import type { Collection } from "../../layer/collect.ts";
import type { Group } from "../../layer/split.ts";
import { parseReference } from "../../oci/reference.ts";
import type { ImageLocation } from "../../session/image-location.ts";
import type { FoundFiles, Run } from "../options/no-effect.ts";

/**
 * Describes a run for the rules of options without effect.
 * @param images the sources and destinations of images, except the base
 */
export function runOf(
  values: Run["values"],
  base: BaseSource,
  images: readonly (Pick<ImageLocation, "kind"> | undefined)[],
): Run {
  const kind = baseKind(base);
  const isRemote = kind === "registry" || kind === "digest";
  return { values, base: kind, usesRegistry: isRemote || images.some((image) => image?.kind === "registry") };
}

function baseKind(base: BaseSource): NonNullable<Run["base"]> {
  if (base.kind !== "registry") return base.kind;
  return parseReference(base.name.published).digest ? "digest" : "registry";
}

/**
 * Collects what the options about files matched. `unneeded`: allowed secrets that are not secrets.
 */
export function foundIn(
  { unmatched }: Collection,
  rules: readonly { readonly name: string }[],
  groups: readonly Group[],
  { unneeded, installs }: Pick<FoundFiles, "unneeded" | "installs">,
): FoundFiles {
  const filled = new Set(groups.map(({ name }) => name));
  const emptyLayers = rules.map(({ name }) => name).filter((name) => !filled.has(name));
  return { unmatched, emptyLayers, unneeded, installs };
}

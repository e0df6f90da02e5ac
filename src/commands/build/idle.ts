import type { BaseSource } from "../../base/base.ts";
import type { Collection } from "../../layer/collect.ts";
import type { Group } from "../../layer/split.ts";
import { parseReference } from "../../oci/reference.ts";
import type { ImageLocation } from "../../session/image-location.ts";
import type { Session } from "../../session/session.ts";
import { type Found, idleOptions, type Run, warnOfIdle } from "../options/idle.ts";
import type { OptionTable } from "../options/read.ts";

/** The facts that decide which options of a run have no effect. */
export interface IdlePlan {
  readonly table: OptionTable;
  /** The options that the caller gave. */
  readonly given: object;
  readonly run: Run;
}

/**
 * Describes a run for the idle rules of options.
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

/** Warns of options that have no effect, whatever the source directory contains. */
export function warnOfIdleOptions({ table, given, run }: IdlePlan, { emit }: Session): void {
  warnOfIdle(idleOptions(table, given, run), emit);
}

/** Warns of options that had no effect on the files found. */
export function warnOfFruitlessOptions(
  { table, given, run }: IdlePlan,
  found: Found,
  { emit }: Session,
): void {
  const before = new Set(idleOptions(table, given, run).map(({ name }) => name));
  warnOfIdle(
    idleOptions(table, given, { ...run, found }).filter(({ name }) => !before.has(name)),
    emit,
  );
}

/**
 * Collects what the options about files matched. `unneeded`: allowed secrets that are not secrets.
 */
export function foundIn(
  { unmatched }: Collection,
  rules: readonly { readonly name: string }[],
  groups: readonly Group[],
  { unneeded, installs }: Pick<Found, "unneeded" | "installs">,
): Found {
  const filled = new Set(groups.map(({ name }) => name));
  const emptyLayers = rules.map(({ name }) => name).filter((name) => !filled.has(name));
  return { unmatched, emptyLayers, unneeded, installs };
}

import type { BaseSource } from "../../base/base.ts";
import type { BuildEvent, OnEvent } from "../../events.ts";
import type { Collection } from "../../layer/collect.ts";
import type { Group } from "../../layer/split.ts";
import { parseReference } from "../../oci/reference.ts";
import type { ImageLocation } from "../../session/image-location.ts";
import { dashed, type Option, type OptionTable } from "./read.ts";

/** What is known about a run when it is decided whether an option has an effect. */
export interface Run {
  /** The values of all options. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The kind of base; `digest` is a base in a registry that is pinned by its digest. */
  readonly base?: "registry" | "digest" | "file" | "scratch";
  /** Whether a registry is used. */
  readonly usesRegistry: boolean;
  /** Whether the command works on an existing image instead of a directory. */
  readonly isImage?: boolean;
  /** Whether the function of a directory runs as it is: nothing is built, installed or pulled. */
  readonly runsUnbuilt?: boolean;
  /** The content of the source directory. Absent if it is not read. */
  readonly found?: FoundFiles;
}

/** The content of a source directory that decides about options. */
interface FoundFiles {
  /** Names in `layer` to which no file belongs. */
  readonly emptyLayers: readonly string[];
  /** Patterns of `exclude` that match no file. undefined: not known. */
  readonly unmatched: readonly string[] | undefined;
  /** Paths of `allowSecret` that are not packed or hold no secret. */
  readonly unneeded: readonly string[];
  /** Whether dependencies are installed. */
  readonly installs: boolean;
}

/** Returns why an option has no effect in a run, as a clause; undefined if it has one. */
export type NoEffect = (run: Run) => string | undefined;

/** Warns of each given option that has no effect in this run, in the order of the table. */
export function warnOfNoEffect(table: OptionTable, given: object, run: Run, emit: OnEvent): void {
  const values = new Map(Object.entries(given));
  for (const [name, option] of Object.entries(table)) {
    const value = values.get(name);
    const reason = isGiven(value, option) ? option.noEffect?.(run) : undefined;
    if (reason !== undefined) emit(noEffectWarning(value === false ? `no-${name}` : name, reason));
  }
}

/** Returns the warning about an option that has no effect, for `reason`. */
export function noEffectWarning(name: string, reason: string): BuildEvent {
  const flag = `--${dashed(name)}`;
  return { type: "warning", message: `${flag} has no effect: ${reason}`, hint: `leave out ${flag}` };
}

/** Warns of rules that `allow` names and that the image does not break, if `allow` was given. */
export function warnOfUnbroken(rules: readonly string[], given: object, emit: OnEvent): void {
  if (!("allow" in given)) return;
  for (const rule of rules) emit(noEffectWarning(`allow ${rule}`, "the image does not break that rule"));
}

/** Does as {@link warnOfNoEffect} for a command on existing images, its sources and destinations. */
export function warnOfNoEffectOnImages(
  images: readonly { readonly kind: string }[],
  table: OptionTable,
  given: object,
  emit: OnEvent,
): void {
  const usesRegistry = images.some(({ kind }) => kind === "registry");
  warnOfNoEffect(table, given, { values: { ...given }, usesRegistry, isImage: true }, emit);
}

/** Returns whether an option was given; one that is empty or has its default counts as not given. */
function isGiven(value: unknown, { absent }: Option<unknown>): boolean {
  if (value === undefined || value === absent?.value) return false;
  if (value === false) return absent?.value === true;
  return typeof value !== "object" || value === null || Object.keys(value).length > 0;
}

/** The rule for options about registries. */
export const withoutRegistry: NoEffect = ({ usesRegistry }) =>
  usesRegistry ? undefined : "no image of this run is in a registry";

/** The rule for options about checks. */
export const withoutChecks: NoEffect = ({ values }) =>
  values["check"] === false ? "the checks are skipped" : undefined;

/** The rule for options about what is installed. */
export const withoutInstall: NoEffect = ({ values }) =>
  values["install"] && values["install"] !== "none" ? undefined : "nothing is installed";

/** The rule for options about servers of images and of packages. */
export const withoutServer: NoEffect = (run) => withoutInstall(run) && withoutRegistry(run);

/** The rule for options about which files are packed. */
export const inBundle: NoEffect = ({ values }) =>
  values["bundle"] ? "a bundle has only what the handler imports" : undefined;

/** The rule for options about the base lock. */
export const withoutPin: NoEffect = ({ base, values }) => {
  if (hasPinnedParts(values)) return undefined;
  if (base === "scratch") return "scratch is not an image";
  if (base === "file") return "only a base in a registry has a tag to lock";
  return base === "digest" ? "the base is named by its digest" : undefined;
};

/**
 * Returns whether files of images or published Lambda layers are added, as the lock pins them like
 * a base.
 */
function hasPinnedParts(values: Run["values"]): boolean {
  const { copyFrom, lambdaLayer, webAdapter } = values;
  const isAdded = typeof webAdapter === "string" && webAdapter !== "false";
  return (
    isAdded || textsOf(copyFrom).length > 0 || textsOf(lambdaLayer).some((text) => text.startsWith("arn:"))
  );
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

/** Combines rules: the first reason counts. */
export function firstOf(...rules: readonly (NoEffect | undefined)[]): NoEffect {
  return (run) => rules.map((rule) => rule?.(run)).find((reason) => reason !== undefined);
}

/** Adds a rule to all options of a table, before their own. */
export function withRule<T extends OptionTable>(rule: NoEffect, table: T): T {
  const options = Object.entries(table).map(([name, option]) => [
    name,
    { ...option, noEffect: firstOf(rule, option.noEffect) },
  ]);
  // The names and types of the options stay the same.
  return Object.fromEntries(options) as T;
}

/** Marks options as having no effect if the source is an image. */
export function forDirectories<T extends OptionTable>(table: T): T {
  return withRule(({ isImage }) => (isImage ? "the source is an image, not a directory" : undefined), table);
}

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

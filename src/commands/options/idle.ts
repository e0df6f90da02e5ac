import type { OnEvent } from "../../events.ts";
import type { OptionTable } from "./read.ts";

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
  /** The content of the source directory. Absent before it was read. */
  readonly found?: Found;
}

/** The content of a source directory that decides about options. */
export interface Found {
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
export type Idle = (run: Run) => string | undefined;

export interface IdleOption {
  readonly name: string;
  readonly reason: string;
}

/** Lists the given options that have no effect, in the order of the table. */
export function idleOptions(table: OptionTable, given: object, run: Run): readonly IdleOption[] {
  const asked = new Map(Object.entries(given));
  return Object.entries(table).flatMap(([name, { idle }]) => {
    const reason = isGiven(asked.get(name)) ? idle?.(run) : undefined;
    return reason === undefined ? [] : [{ name, reason }];
  });
}

/** Warns of each option. */
export function warnOfIdle(options: readonly IdleOption[], emit: OnEvent): void {
  for (const { name, reason } of options) {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    emit({ type: "warning", message: `${flag} has no effect: ${reason}`, hint: `leave out ${flag}` });
  }
}

/**
 * Warns of options without effect on a command for existing images.
 * @param images the sources and destinations
 */
export function warnOfIdleOn(
  images: readonly { readonly kind: string }[],
  table: OptionTable,
  given: object,
  emit: OnEvent,
): void {
  const usesRegistry = images.some(({ kind }) => kind === "registry");
  warnOfIdle(idleOptions(table, given, { values: { ...given }, usesRegistry, isImage: true }), emit);
}

/** Returns whether an option was given; one that is off or empty counts as not given. */
function isGiven(value: unknown): boolean {
  if (value === undefined || value === false || value === "none") return false;
  return typeof value !== "object" || value === null || Object.keys(value).length > 0;
}

/** The rule for options about registries. */
export const withoutRegistry: Idle = ({ usesRegistry }) =>
  usesRegistry ? undefined : "no image of this run is in a registry";

/** The rule for options about checks. */
export const withoutChecks: Idle = ({ values }) =>
  values["check"] === false ? "the checks are skipped" : undefined;

/** The rule for options about the base lock. */
export const withoutPin: Idle = ({ base, values }) => {
  if (hasPinnedParts(values)) return undefined;
  if (base === "scratch") return "scratch is no image";
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
export function firstOf(...rules: readonly Idle[]): Idle {
  return (run) => rules.map((rule) => rule(run)).find((reason) => reason !== undefined);
}

/** Marks options as having no effect if the source is an image. */
export function forDirectories<T extends OptionTable>(table: T): T {
  const onImage: Idle = ({ isImage }) => (isImage ? "the source is an image, not a directory" : undefined);
  const options = Object.entries(table).map(([name, option]) => [
    name,
    { ...option, idle: option.idle ? firstOf(onImage, option.idle) : onImage },
  ]);
  // The names and types of the options stay the same.
  return Object.fromEntries(options) as T;
}

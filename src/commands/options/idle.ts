import type { OnEvent } from "../../events.ts";
import type { OptionTable } from "./read.ts";

/**
 * What a run is about, as far as it is known when an option is asked whether it changes anything.
 */
export interface Run {
  /** The values of all options. */
  readonly values: Readonly<Record<string, unknown>>;
  /** What kind of base the run has; `digest` is one of a registry that is named by its digest. */
  readonly base?: "registry" | "digest" | "file" | "scratch";
  /** Whether a registry is asked for anything. */
  readonly usesRegistry: boolean;
  /** Whether the command is about an image that is there, and not about a directory. */
  readonly isImage?: boolean;
  /** What came of the source directory. Absent before it has been read. */
  readonly found?: Found;
}

/** What a build found in its source directory. */
export interface Found {
  /** Names in `layer` that no file is left for. */
  readonly emptyLayers: readonly string[];
  /** Patterns of `exclude` that leave out no file. undefined: not known. */
  readonly unmatched: readonly string[] | undefined;
  /** Paths of `allowSecret` that are not packed or hold no secret. */
  readonly unneeded: readonly string[];
  /** Whether dependencies are installed. */
  readonly installs: boolean;
}

/** Says in a clause why an option changes nothing in a run; undefined where it does. */
export type Idle = (run: Run) => string | undefined;

export interface IdleOption {
  readonly name: string;
  readonly reason: string;
}

/** The options among those that were given that change nothing, in the order of the table. */
export function idleOptions(table: OptionTable, given: object, run: Run): readonly IdleOption[] {
  const asked = new Map(Object.entries(given));
  return Object.entries(table).flatMap(([name, { idle }]) => {
    const reason = isGiven(asked.get(name)) ? idle?.(run) : undefined;
    return reason === undefined ? [] : [{ name, reason }];
  });
}

/** Tells the user of each. */
export function warnOfIdle(options: readonly IdleOption[], emit: OnEvent): void {
  for (const { name, reason } of options) {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    emit({ type: "warning", message: `${flag} has no effect: ${reason}`, hint: `leave out ${flag}` });
  }
}

/** Warns a command about images that are there. `images`: where they come from and go to. */
export function warnOfIdleOn(
  images: readonly { readonly kind: string }[],
  table: OptionTable,
  given: object,
  emit: OnEvent,
): void {
  const usesRegistry = images.some(({ kind }) => kind === "registry");
  warnOfIdle(idleOptions(table, given, { values: { ...given }, usesRegistry, isImage: true }), emit);
}

/** What is off, or names nothing, was not asked for. */
function isGiven(value: unknown): boolean {
  if (value === undefined || value === false || value === "none") return false;
  return typeof value !== "object" || value === null || Object.keys(value).length > 0;
}

/** The rule of options that say something about registries. */
export const withoutRegistry: Idle = ({ usesRegistry }) =>
  usesRegistry ? undefined : "no image of this run is in a registry";

/** The rule of options that say something about checks. */
export const withoutChecks: Idle = ({ values }) =>
  values["check"] === false ? "the checks are skipped" : undefined;

/** The rule of options about the base lock. */
export const withoutPin: Idle = ({ base, values }) => {
  if (hasPinnedParts(values)) return undefined;
  if (base === "scratch") return "scratch is no image";
  if (base === "file") return "only a base in a registry has a tag to lock";
  return base === "digest" ? "the base is named by its digest" : undefined;
};

/**
 * Whether files of images, or Lambda layers that AWS has, are added to the image: they are locked
 * as a base is.
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

/** The rules in their order: the first that says something. */
export function firstOf(...rules: readonly Idle[]): Idle {
  return (run) => rules.map((rule) => rule(run)).find((reason) => reason !== undefined);
}

/** The options of a directory, where the command is about an image. */
export function forDirectories<T extends OptionTable>(table: T): T {
  const onImage: Idle = ({ isImage }) => (isImage ? "the source is an image, not a directory" : undefined);
  const options = Object.entries(table).map(([name, option]) => [
    name,
    { ...option, idle: option.idle ? firstOf(onImage, option.idle) : onImage },
  ]);
  // The same options with one more fact.
  return Object.fromEntries(options) as T;
}

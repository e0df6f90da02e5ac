import { redactText } from "../registry/errors/redact.ts";
import type { Instruction, Note, Position } from "./instructions.ts";
import type { BaseSettings, PlanOptions } from "./plan.ts";
import type { Dockerfile, Stage, StageBase } from "./stages.ts";
import type { Lookup } from "./words.ts";

/** A COPY or ADD; {@link resolveCopy} finds the files that it copies. */
export interface CopyStep extends Position {
  readonly kind: "copy";
  readonly keyword: "COPY" | "ADD";
  readonly from: CopySource;
  /** Paths and patterns with variables replaced. */
  readonly sources: readonly string[];
  /** The absolute path in the image, without a trailing slash. */
  readonly target: string;
  /** true: the target was written as a directory (`./`, `/var/task/`). */
  readonly intoDirectory: boolean;
  /** Whether `--chmod` makes files executable. undefined: the mode of the source. */
  readonly executable: boolean | undefined;
}

export type CopySource =
  | { readonly kind: "context" }
  /** A stage by its number in the file. */
  | { readonly kind: "stage"; readonly stage: number }
  | { readonly kind: "image"; readonly reference: string };

/** The place in which packages are installed. */
export type InstallTarget =
  | { readonly kind: "directory"; readonly path: string }
  /** The directory in which the base's own Python looks for packages. */
  | { readonly kind: "site-packages" }
  /** `node_modules` in this directory. */
  | { readonly kind: "node-modules"; readonly path: string };

/** A command of a package manager. Paths are absolute in the image. */
interface PackageStep extends Position {
  /** The command for messages. */
  readonly command: string;
  /** The directory in which the command runs. */
  readonly directory: string;
  /** true: development dependencies too. */
  readonly dev: boolean;
  /** Extras, by name. */
  readonly extras: readonly string[];
  readonly groups: readonly string[];
}

export interface InstallStep extends PackageStep {
  readonly kind: "install";
  readonly manager: "pip" | "uv" | "poetry" | "npm" | "pnpm" | "yarn";
  readonly target: InstallTarget;
  /** Requirements files. Empty: the lock file in `directory`, or `packages`. */
  readonly requirements: readonly string[];
  readonly constraints: readonly string[];
  /** Names with versions: `requests>=2`. */
  readonly packages: readonly string[];
  /** The index, then extra indexes; empty: the default one. */
  readonly indexes: readonly string[];
  /** false: installs only the named packages. */
  readonly dependencies: boolean;
}

/** A requirements file that a package manager exports from its lock. */
export interface ExportStep extends PackageStep {
  readonly kind: "export";
  readonly manager: "uv" | "poetry";
  /** The path of the exported file. */
  readonly output: string;
}

export interface MakeDirectoryStep extends Position {
  readonly kind: "mkdir";
  readonly path: string;
}

export interface ChangeModeStep extends Position {
  readonly kind: "chmod";
  readonly path: string;
  readonly recursive: boolean;
  readonly mode: ModeChange;
}

/** `rm` of a file that the stage created; files of the base stay. */
export interface RemoveStep extends Position {
  readonly kind: "remove";
  readonly path: string;
}

/** The effect of chmod on the owner's execute bit, which is the only bit that an image keeps. */
export type ModeChange = "executable" | "plain" | "unchanged";

export type Step = CopyStep | InstallStep | ExportStep | MakeDirectoryStep | ChangeModeStep | RemoveStep;

/** The changes of a stage to its base. */
export interface StagePlan {
  readonly number: number;
  readonly name: string | undefined;
  readonly base: StageBase;
  readonly platform: string | undefined;
  /** The stage's own steps; those of a parent stage are in the parent's plan. */
  readonly steps: readonly Step[];
  /** Includes the settings of a parent stage, but not those of the base image. */
  readonly settings: StageSettings;
}

/** How the image starts. An undefined value stays as in the base. */
export interface StageSettings {
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly workingDirectory: string | undefined;
  readonly entrypoint: readonly string[] | undefined;
  /** Empty: removes the base's CMD, as Docker does if ENTRYPOINT is set. */
  readonly cmd: readonly string[] | undefined;
}

/** The settings of a stage whose base alone says how it starts. */
export const NOTHING_SET: StageSettings = {
  ...{ env: {}, labels: {} },
  ...{ workingDirectory: undefined, entrypoint: undefined, cmd: undefined },
};

export interface StageContext extends PlanOptions {
  readonly dockerfile: Dockerfile;
  /** The stage that becomes the image. */
  readonly final: Stage | undefined;
  /** The plans of the earlier stages. */
  readonly plans: readonly StagePlan[];
}

/** The state of a stage after the instructions so far. */
export interface StageState {
  readonly stage: Stage;
  readonly context: StageContext;
  readonly base: BaseSettings;
  readonly steps: Step[];
  readonly notes: Note[];
  /** The variables of the base and of ENV. */
  readonly env: Map<string, string>;
  readonly args: Map<string, string>;
  /** Settings of package managers. */
  readonly managers: Map<string, string>;
  settings: StageSettings;
  shell: readonly string[];
  /** Variables that were used but are not set. */
  readonly missing: Set<string>;
}

export function note(state: StageState, { file, line }: Instruction, message: string): void {
  state.notes.push({ file, line, message: redactText(message) });
}

/** The value of a variable that a base could set, while the bases are not known. */
const UNKNOWN = "unknown";

/**
 * Returns the variable lookup of a stage. As in Docker, an unset variable is empty; a note reports
 * it once.
 */
export function lookupIn(state: StageState, instruction: Instruction): Lookup {
  return (name) => {
    const value = variableIn(state, name) ?? (state.context.bases ? undefined : UNKNOWN);
    if (value === undefined && !state.missing.has(name)) {
      state.missing.add(name);
      note(state, instruction, `\${${name}} is not set: nothing is put in its place`);
    }
    return value;
  };
}

/** Returns the value of a variable in the stage: ENV wins over ARG. */
export function variableIn({ env, args }: StageState, name: string): string | undefined {
  return env.get(name) ?? args.get(name);
}

export function workingDirectory({ settings, base }: StageState): string {
  return settings.workingDirectory ?? (base.workingDirectory || "/");
}

/** Returns the image that the stage and its parent stages are based on. */
export function rootReference(
  { base }: { readonly base: StageBase },
  context: Pick<StageContext, "plans">,
): string {
  if (base.kind === "image") return base.reference;
  const parent = context.plans.find(({ number }) => number === base.stage);
  return parent ? rootReference(parent, context) : "";
}

/** Shortens a command for a message. */
export function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
}

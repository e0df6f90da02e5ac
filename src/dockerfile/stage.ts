import { redactText } from "../registry/errors/redact.ts";
import type { Instruction, Note, Position } from "./instructions.ts";
import type { BaseSettings, PlanOptions } from "./plan.ts";
import type { Dockerfile, Stage, StageBase } from "./stages.ts";
import type { Lookup } from "./words.ts";

/** A COPY or ADD; {@link resolveCopy} decides which files it copies. */
export interface CopyStep extends Position {
  readonly kind: "copy";
  readonly keyword: "COPY" | "ADD";
  readonly from: CopySource;
  /** Paths and patterns as written, variables replaced. */
  readonly sources: readonly string[];
  /** Absolute path in the image, without a slash at its end. */
  readonly target: string;
  /** true: the target was written as a directory (`./`, `/var/task/`). */
  readonly intoDirectory: boolean;
  /** From `--chmod`: whether files are executable. undefined: as the source says. */
  readonly executable: boolean | undefined;
}

export type CopySource =
  | { readonly kind: "context" }
  /** A stage by its number in the file. */
  | { readonly kind: "stage"; readonly stage: number }
  | { readonly kind: "image"; readonly reference: string };

/** Where packages are installed. */
export type InstallTarget =
  | { readonly kind: "directory"; readonly path: string }
  /** The directory in which the base's own Python looks. */
  | { readonly kind: "site-packages" }
  /** node_modules in this directory. */
  | { readonly kind: "node-modules"; readonly path: string };

/**
 * An install of dependencies, as a package manager's command line has it. Paths are absolute in the
 * image.
 */
export interface InstallStep extends Position {
  readonly kind: "install";
  /** As a message may show it. */
  readonly command: string;
  readonly manager: "pip" | "uv" | "poetry" | "npm" | "pnpm" | "yarn";
  /** The directory in which it is run. */
  readonly directory: string;
  readonly target: InstallTarget;
  /** requirements.txt and its like. Empty: the lock file of `directory`, or `packages`. */
  readonly requirements: readonly string[];
  readonly constraints: readonly string[];
  /** Names with versions: `requests>=2`. */
  readonly packages: readonly string[];
  /** The index, then more indexes; empty: the default one. */
  readonly indexes: readonly string[];
  /** false: only the named packages. */
  readonly dependencies: boolean;
  /** true: dependencies for development as well. */
  readonly dev: boolean;
  /** By name. */
  readonly extras: readonly string[];
  readonly groups: readonly string[];
}

/** A requirements file that a package manager writes from its lock. */
export interface ExportStep extends Position {
  readonly kind: "export";
  readonly command: string;
  readonly manager: "uv" | "poetry";
  readonly directory: string;
  /** The file that is written. */
  readonly output: string;
  readonly dev: boolean;
  readonly extras: readonly string[];
  readonly groups: readonly string[];
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

/** `rm` of what the stage itself has made; the files of the base stay. */
export interface RemoveStep extends Position {
  readonly kind: "remove";
  readonly path: string;
}

/** What chmod does to the one bit that an image keeps: whether the owner may execute the file. */
export type ModeChange = "executable" | "plain" | "unchanged";

export type Step = CopyStep | InstallStep | ExportStep | MakeDirectoryStep | ChangeModeStep | RemoveStep;

/** What a stage does to its base. */
export interface StagePlan {
  readonly number: number;
  readonly name: string | undefined;
  readonly base: StageBase;
  readonly platform: string | undefined;
  /** Its own; those of a stage that it begins with are in that stage's plan. */
  readonly steps: readonly Step[];
  /** With those of a stage that it begins with, without those of the base image. */
  readonly settings: StageSettings;
}

/** How the image starts. What is undefined stays as the base has it. */
export interface StageSettings {
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly workingDirectory: string | undefined;
  readonly entrypoint: readonly string[] | undefined;
  /** Empty: the base's is removed, as Docker does where ENTRYPOINT is set. */
  readonly cmd: readonly string[] | undefined;
}

export interface StageContext extends PlanOptions {
  readonly dockerfile: Dockerfile;
  /** The stage that becomes the image. */
  readonly final: Stage | undefined;
  /** Of the stages before. */
  readonly plans: readonly StagePlan[];
}

/** State of one stage after the instructions read so far. */
export interface StageState {
  readonly stage: Stage;
  readonly context: StageContext;
  readonly base: BaseSettings;
  readonly steps: Step[];
  readonly notes: Note[];
  /** Of the base and of ENV. */
  readonly env: Map<string, string>;
  readonly args: Map<string, string>;
  /** Settings of package managers. */
  readonly managers: Map<string, string>;
  settings: StageSettings;
  shell: readonly string[];
  /** Variables that were used and are not set. */
  readonly missing: Set<string>;
}

export function note(state: StageState, { file, line }: Instruction, message: string): void {
  state.notes.push({ file, line, message: redactText(message) });
}

/** The value of a variable that a base may set, where bases are not known yet. */
const UNKNOWN = "unknown";

/** ENV wins over ARG. What is not set is replaced by nothing, as Docker does, and said once. */
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

/** The value of a variable in the stage: ENV wins over ARG. */
export function variableIn({ env, args }: StageState, name: string): string | undefined {
  return env.get(name) ?? args.get(name);
}

export function workingDirectory({ settings, base }: StageState): string {
  return settings.workingDirectory ?? (base.workingDirectory || "/");
}

/** The image below all stages that this one begins with. */
export function rootReference(
  { base }: { readonly base: StageBase },
  context: Pick<StageContext, "plans">,
): string {
  if (base.kind === "image") return base.reference;
  const parent = context.plans.find(({ number }) => number === base.stage);
  return parent ? rootReference(parent, context) : "";
}

/** A command as a message shows it. */
export function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
}

import type { Instruction } from "./parse.ts";
import type { BaseSettings, PlanOptions } from "./plan.ts";
import type { Note } from "./refuse.ts";
import type { Dockerfile, Stage, StageBase } from "./stages.ts";
import type { Step } from "./step.ts";
import type { Lookup } from "./words.ts";

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

/** What the instructions of one stage have come to so far. */
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
  state.notes.push({ file, line, message });
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

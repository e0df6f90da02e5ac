import { posix } from "node:path";
import { LambdaPackError } from "../errors.ts";
import { nearest, oneOf } from "../lambda/nearest.ts";
import { planCommands } from "./commands.ts";
import { planCopy } from "./copy-step.ts";
import type { Instruction } from "./instructions.ts";
import { refuse } from "./instructions.ts";
import type { BaseSettings } from "./plan.ts";
import {
  lookupIn,
  NOTHING_SET,
  note,
  rootReference,
  type StageContext,
  type StagePlan,
  type StageState,
  shorten,
  variableIn,
  workingDirectory,
} from "./stage.ts";
import { expand, readArguments, type Stage, type StageBase, splitAssignments } from "./stages.ts";
import { literalCommand, splitCommands, WordError } from "./words.ts";

const NO_SETTINGS: BaseSettings = { env: [], workingDirectory: "/", entrypoint: [], cmd: [] };

/**
 * Evaluates every instruction of a stage. Continues after a refused one, so that all of them are
 * reported.
 */
export function evaluateStage(stage: Stage, context: StageContext) {
  const state = openState(stage, context);
  const errors: LambdaPackError[] = [];
  for (const instruction of stage.instructions) {
    try {
      handlerOf(instruction)(state, instruction);
    } catch (error) {
      if (!(error instanceof LambdaPackError)) throw error;
      errors.push(error);
    }
  }
  const command = refuseCommandWords(state);
  if (command) errors.push(command);
  const { number, name, base, platform } = stage;
  const plan: StagePlan = { number, name, base, platform, steps: state.steps, settings: state.settings };
  return { plan, errors, notes: state.notes };
}

function openState(stage: Stage, context: StageContext): StageState {
  const parent = parentPlan(stage.base, context);
  const base = context.bases?.get(rootReference(stage, context)) ?? NO_SETTINGS;
  const settings = parent?.settings ?? NOTHING_SET;
  const inherited = base.env.map((line) => [line.replace(/=.*/s, ""), line.replace(/^[^=]*=/, "")] as const);
  return {
    stage,
    context,
    base,
    steps: [],
    notes: [],
    env: new Map([...inherited, ...Object.entries(settings.env)]),
    args: new Map(),
    managers: new Map(),
    settings,
    shell: ["/bin/sh", "-c"],
    missing: new Set(),
  };
}

function parentPlan(base: StageBase, { plans }: StageContext): StagePlan | undefined {
  return base.kind === "stage" ? plans.find(({ number }) => number === base.stage) : undefined;
}

type Handler = (state: StageState, instruction: Instruction) => void;

const HANDLERS: Readonly<Record<string, Handler>> = {
  ADD: addCopy,
  COPY: addCopy,
  ARG: (state, instruction) => {
    for (const { name, value } of readArguments(instruction, lookupIn(state, instruction))) {
      const { buildArgs, dockerfile } = state.context;
      const given = buildArgs[name] ?? value ?? dockerfile.globals.get(name);
      if (given !== undefined) state.args.set(name, given);
    }
  },
  ENV: (state, instruction) => {
    const env = readPairs(state, instruction);
    for (const [name, value] of env) state.env.set(name, value);
    state.settings = { ...state.settings, env: { ...state.settings.env, ...Object.fromEntries(env) } };
  },
  LABEL: (state, instruction) => {
    const labels = Object.fromEntries(readPairs(state, instruction));
    state.settings = { ...state.settings, labels: { ...state.settings.labels, ...labels } };
  },
  WORKDIR: (state, instruction) => {
    const written = expand(instruction, instruction.text, lookupIn(state, instruction));
    if (written === "") throw refuse(instruction, "WORKDIR names no directory", "write WORKDIR /var/task");
    const path = posix.resolve("/", workingDirectory(state), written);
    state.settings = { ...state.settings, workingDirectory: path };
    state.steps.push({ kind: "mkdir", file: instruction.file, line: instruction.line, path });
  },
  RUN: runCommands,
  CMD: (state, instruction) => {
    state.settings = { ...state.settings, cmd: commandWords(state, instruction) };
  },
  ENTRYPOINT: (state, instruction) => {
    const ownCmd = state.stage.instructions.some(({ keyword }) => keyword === "CMD");
    const cmd = ownCmd ? state.settings.cmd : [];
    state.settings = { ...state.settings, entrypoint: commandWords(state, instruction), cmd };
  },
  SHELL: (state, instruction) => {
    if (!instruction.json || instruction.json.length === 0)
      throw refuse(instruction, "SHELL is not a JSON array", 'write SHELL ["/bin/bash", "-c"]');
    state.shell = instruction.json;
  },
  USER: ignored("Lambda runs a function as a user of its own"),
  EXPOSE: ignored("a function has no ports"),
  VOLUME: ignored("a function has no volumes; only /tmp can be written to"),
  HEALTHCHECK: ignored("Lambda does not look at it"),
  STOPSIGNAL: ignored("Lambda does not look at it"),
  MAINTAINER: ignored("use LABEL org.opencontainers.image.authors"),
  ONBUILD: ignored("the image is not a base for others"),
};

function handlerOf(instruction: Instruction): Handler {
  const { keyword } = instruction;
  const handler = Object.hasOwn(HANDLERS, keyword) ? HANDLERS[keyword] : undefined;
  if (handler) return handler;
  const names = nearest(keyword, ["FROM", ...Object.keys(HANDLERS)], 1);
  throw refuse(
    instruction,
    `${keyword} is not an instruction of a Dockerfile`,
    names.length > 0 ? `did you mean ${oneOf(names)}?` : "remove the line",
  );
}

function ignored(why: string): Handler {
  return (state, instruction) => note(state, instruction, `${instruction.keyword} has no effect: ${why}`);
}

function readPairs(state: StageState, instruction: Instruction): readonly (readonly [string, string])[] {
  const lookup = lookupIn(state, instruction);
  try {
    return splitAssignments(instruction.text, instruction.escapeCharacter).map(
      ([name, value]) => [expand(instruction, name, lookup), expand(instruction, value, lookup)] as const,
    );
  } catch (error) {
    if (!(error instanceof WordError)) throw error;
    throw refuse(
      instruction,
      `${instruction.keyword}: ${error.message}`,
      `write ${instruction.keyword} NAME=value`,
    );
  }
}

/** A mount does not stay in the image. A cache, and uv itself, do not change what is installed. */
const HARMLESS_MOUNT = /^type=(?:cache|tmpfs)(?:,|$)|^(?:type=bind,)?from=[^,]*\bastral-sh\/uv[:@,]/;

/** Plans RUN; the line is refused unless every command is known. @throws DOCKERFILE_REFUSED */
function runCommands(state: StageState, instruction: Instruction): void {
  const { flags, text, json } = instruction;
  const foreign = flags.find(({ name, value }) => name !== "mount" || !HARMLESS_MOUNT.test(value));
  if (foreign)
    throw refuse(
      instruction,
      `RUN --${foreign.name}=${foreign.value} needs a container`,
      foreign.name === "mount" ? "COPY the files that the command reads" : "leave it out",
    );
  const lookup = lookupIn(state, instruction);
  try {
    const commands = json ? [literalCommand(json)] : splitCommands(text, lookup);
    const { file, line } = instruction;
    const scope = {
      position: { file, line },
      directory: workingDirectory(state),
      variable: (name: string) => variableIn(state, name),
      settings: state.managers,
    };
    for (const outcome of planCommands(commands, scope)) {
      if ("step" in outcome) state.steps.push(outcome.step);
      else note(state, instruction, outcome.note);
    }
  } catch (error) {
    if (!(error instanceof WordError)) throw error;
    throw refuse(instruction, `RUN ${shorten(text)}: ${error.message}`, error.fix);
  }
}

/** The image that contains only uv, from which Dockerfiles copy it. */
const UV_IMAGE = /(?:^|\/)astral-sh\/uv(?:[:@]|$)/;

function addCopy(state: StageState, instruction: Instruction): void {
  const { step, notes } = planCopy(instruction, {
    workingDirectory: workingDirectory(state),
    lookup: lookupIn(state, instruction),
    earlier: state.context.dockerfile.stages.slice(0, state.stage.number),
  });
  const { from } = step;
  if (from.kind === "image" && UV_IMAGE.test(from.reference)) {
    note(state, instruction, "uv is not copied: lambda-pack installs packages without it");
    return;
  }
  state.steps.push(step);
  for (const message of notes) note(state, instruction, message);
}

/** Returns the words of the exec form, or those to which Docker expands the shell form. */
function commandWords(state: StageState, instruction: Instruction): readonly string[] {
  const { json, text, keyword } = instruction;
  if (json) return json;
  if (text === "") return [];
  note(state, instruction, `${keyword} is in shell form: the image runs it through ${state.shell.join(" ")}`);
  return [...state.shell, text];
}

/**
 * Refuses the shell form of CMD, because a runtime would take the shell as the name of the handler.
 */
function refuseCommandWords({ stage, settings, base, context }: StageState): LambdaPackError | undefined {
  const entrypoint = settings.entrypoint ?? base.entrypoint;
  const last = stage.instructions.findLast(({ keyword }) => keyword === "CMD");
  if (!last || last.json || last.text === "" || entrypoint.length === 0 || stage !== context.final)
    return undefined;
  const words = last.text
    .replace(/^\[|\]$/g, "")
    .split(/[\s,]+/)
    .map((word) => word.replace(/^['"]|['"]$/g, ""));
  return refuse(
    last,
    `CMD ${shorten(last.text)} is in shell form: the runtime would take the shell as the handler`,
    `write CMD ${JSON.stringify(words.filter((word) => word !== ""))}`,
  );
}

import { posix } from "node:path";
import { changeDirectory, changeModes, changeOwners, makeDirectories, removeFiles } from "./file-steps.ts";
import { exportRequirements, poetryConfig, poetryInstall, uvSync } from "./lock-steps.ts";
import { nodeCommand } from "./node-steps.ts";
import { pipInstall, pythonModule } from "./pip-steps.ts";
import type { Position } from "./refuse.ts";
import { type Command, ShellError, type Word } from "./shell.ts";
import type { InstallStep, InstallTarget, Step } from "./step.ts";
import type { Lookup } from "./words.ts";

/** What one command comes to: something to do, or something to tell. */
export type Outcome = { readonly step: Step } | { readonly note: string };

/** What an install step says beyond its place in the file. */
type Install = Partial<InstallStep> & {
  readonly manager: InstallStep["manager"];
  readonly target: InstallTarget;
};

/** What a command sees of the instruction and of the commands before it. */
export interface CommandContext {
  readonly position: Position;
  /** As written. */
  readonly command: string;
  readonly directory: string;
  /** Settings of package managers that earlier commands made; lives as long as the stage. */
  readonly settings: Map<string, string>;
  variable(name: string): string | undefined;
  /** The absolute path in the image. */
  path(written: string): string;
  /** `cd` for the commands after it in the same RUN. */
  enter(directory: string): void;
  install(install: Install): Outcome;
}

interface RunScope {
  readonly position: Position;
  /** The directory in which RUN starts. */
  readonly directory: string;
  /** The value of a variable; undefined where it is not set. */
  readonly variable: Lookup;
  readonly settings: Map<string, string>;
}

/**
 * Turns the commands of one RUN into steps. Each is known in all its words, or refused.
 * @throws ShellError
 */
export function planCommands(commands: readonly Command[], scope: RunScope): readonly Outcome[] {
  let directory = scope.directory;
  return commands.flatMap((command) => {
    const context = contextOf(command, { ...scope, directory });
    context.enter = (path) => {
      directory = context.path(path);
    };
    return planCommand(command, context);
  });
}

function contextOf(command: Command, { position, directory, variable, settings }: RunScope): CommandContext {
  const text = command.words.map((word) => word.text).join(" ");
  const path = (written: string) => posix.resolve("/", directory, written).replace(/(?<=.)\/$/, "");
  return {
    position,
    command: text,
    directory,
    settings,
    variable: (name) => command.variables.get(name) ?? variable(name),
    path,
    enter: () => undefined,
    install: (install) => ({
      step: {
        ...position,
        kind: "install",
        command: text,
        directory,
        requirements: [],
        constraints: [],
        packages: [],
        indexes: [],
        dependencies: true,
        dev: false,
        groups: [],
        ...install,
      },
    }),
  };
}

type Planner = (words: readonly Word[], context: CommandContext) => readonly Outcome[];

/** What has no effect on the files of an image. */
const nothing: Planner = () => [];

const PROGRAMS: Readonly<Record<string, Planner>> = {
  npm: (words, context) => nodeCommand("npm", words, context),
  pnpm: (words, context) => nodeCommand("pnpm", words, context),
  yarn: (words, context) => nodeCommand("yarn", words, context),
  corepack: nothing,
  pip: (words, context) => pip("pip", words, context),
  uv: (words, context) => uv(words, context),
  poetry: (words, context) => poetry(words, context),
  mkdir: makeDirectories,
  chmod: changeModes,
  chown: changeOwners,
  rm: removeFiles,
  cd: changeDirectory,
  set: nothing,
  echo: nothing,
  true: nothing,
};

function planCommand(command: Command, context: CommandContext): readonly Outcome[] {
  const [first, ...rest] = command.words;
  const program = posix.basename(first?.text ?? "");
  if (/^python(?:3(?:\.\d+)?)?$/.test(program)) {
    const module = pythonModule(command);
    if (module) return planCommand(module, context);
  }
  const name = /^pip3?(?:\.\d+)?$/.test(program) ? "pip" : program;
  const planner = Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : undefined;
  if (!planner)
    throw new ShellError(`${program} is a program that lambda-pack does not run`, adviceFor(program));
  return planner(rest, context);
}

function pip(
  manager: "pip" | "uv",
  [verb, ...rest]: readonly Word[],
  context: CommandContext,
): readonly Outcome[] {
  if (verb?.text === "install") return pipInstall(manager, rest, context);
  if (verb?.text === "cache") return [];
  throw new ShellError(`pip ${verb?.text ?? ""} is not known`, "only pip install is");
}

function uv([verb, ...rest]: readonly Word[], context: CommandContext): readonly Outcome[] {
  if (verb?.text === "pip") return pip("uv", rest, context);
  if (verb?.text === "export") return exportRequirements("uv", rest, context);
  if (verb?.text === "sync") return uvSync(rest, context);
  if (verb?.text === "cache") return [];
  throw new ShellError(`uv ${verb?.text ?? ""} is not known`, "only uv pip install, sync and export are");
}

function poetry([verb, ...rest]: readonly Word[], context: CommandContext): readonly Outcome[] {
  if (verb?.text === "install") return poetryInstall(rest, context);
  if (verb?.text === "config") return poetryConfig(rest, context);
  if (verb?.text === "export") return exportRequirements("poetry", rest, context);
  throw new ShellError(
    `poetry ${verb?.text ?? ""} is not known`,
    "only poetry install, config and export are",
  );
}

const SYSTEM = new Set(["yum", "dnf", "microdnf", "apt", "apt-get", "apk", "rpm"]);
const FETCH = new Set(["curl", "wget", "git", "unzip", "tar"]);

function adviceFor(program: string): string {
  if (SYSTEM.has(program))
    return "build a base image with these packages once with another tool, push it, and name it in FROM";
  if (FETCH.has(program)) return "fetch the files before lambda-pack build, and COPY them";
  return `run ${program} before lambda-pack build, and COPY what it makes`;
}

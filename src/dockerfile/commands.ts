import { posix } from "node:path";
import { redactText } from "../registry/errors/redact.ts";
import { type CommandContext, type Outcome, type Planner, refuseWords } from "./arguments.ts";
import type { Position } from "./instructions.ts";
import { nodeCommand } from "./node-steps.ts";
import {
  exportRequirements,
  pipInstall,
  poetryConfig,
  poetryInstall,
  pythonModule,
  uvSync,
} from "./python-steps.ts";
import type { ModeChange } from "./stage.ts";
import { type Command, type Lookup, type Word, WordError } from "./words.ts";

interface RunScope {
  readonly position: Position;
  /** The directory in which RUN starts. */
  readonly directory: string;
  /** Returns the value of a variable; undefined if it is not set. */
  readonly variable: Lookup;
  readonly settings: Map<string, string>;
}

/**
 * Converts the commands of one RUN to steps. A command is refused unless all its words are known.
 * @throws WordError
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
  const text = redactText(command.words.map((word) => word.text).join(" "));
  const place = { ...position, kind: "install", command: text, directory } as const;
  const nothing = { requirements: [], constraints: [], packages: [], indexes: [], extras: [], groups: [] };
  return {
    ...{ position, command: text, directory, settings },
    variable: (name) => command.variables.get(name) ?? variable(name),
    path: (written) => posix.resolve("/", directory, written).replace(/(?<=.)\/$/, ""),
    enter: () => undefined,
    install: (install) => ({ step: { ...place, ...nothing, dependencies: true, dev: false, ...install } }),
  };
}

/** Plans commands without effect on the files of an image. */
const nothing: Planner = () => [];

const PROGRAMS: Readonly<Record<string, Planner>> = {
  npm: (words, context) => nodeCommand("npm", words, context),
  pnpm: (words, context) => nodeCommand("pnpm", words, context),
  yarn: (words, context) => nodeCommand("yarn", words, context),
  corepack: nothing,
  pip: verbs("pip", { install: (words, context) => pipInstall("pip", words, context), cache: nothing }),
  uv: verbs("uv", {
    pip: verbs("pip", { install: (words, context) => pipInstall("uv", words, context), cache: nothing }),
    sync: uvSync,
    export: (words, context) => exportRequirements("uv", words, context),
    cache: nothing,
  }),
  poetry: verbs("poetry", {
    install: poetryInstall,
    config: poetryConfig,
    export: (words, context) => exportRequirements("poetry", words, context),
  }),
  mkdir: makeDirectories,
  chmod: changeModes,
  chown: changeOwners,
  rm: removeFiles,
  cd: changeDirectory,
  set: nothing,
  echo: nothing,
  true: nothing,
};

/** Plans a program whose first word is a subcommand. */
function verbs(program: string, known: Readonly<Record<string, Planner>>): Planner {
  return ([verb, ...rest], context) => {
    const name = verb?.text ?? "";
    const planner = Object.hasOwn(known, name) ? known[name] : undefined;
    if (planner) return planner(rest, context);
    throw new WordError(
      `${program} ${name} is not known`,
      `only these are: ${program} ${Object.keys(known).join(", ")}`,
    );
  };
}

function planCommand(command: Command, context: CommandContext): readonly Outcome[] {
  const [first, ...rest] = command.words;
  const program = posix.basename(first?.text ?? "");
  if (/^python(?:3(?:\.\d+)?)?$/.test(program)) {
    const module = pythonModule(command);
    if (module) return planCommand(module, context);
  }
  const name = /^pip3?(?:\.\d+)?$/.test(program) ? "pip" : program;
  const planner = Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : undefined;
  if (planner) return planner(rest, context);
  throw new WordError(`${program} is a program that lambda-pack does not run`, adviceFor(program));
}

function adviceFor(program: string): string {
  if (/^(?:yum|dnf|microdnf|apt|apt-get|apk|rpm)$/.test(program))
    return "build a base image with these packages once with another tool, push it, and name it in FROM";
  if (/^(?:curl|wget|git|unzip|tar)$/.test(program))
    return "fetch the files before lambda-pack build, and COPY them";
  return `run ${program} before lambda-pack build, and COPY what it makes`;
}

/**
 * Parses the mode of chmod or `--chmod`: octal, or symbolic such as `+x` and `u=rwx,go=rx`. Only
 * the owner's execute permission matters, as the image has 0755 for such files and 0644 for all
 * others.
 * @returns undefined if the mode is not valid
 */
export function parseMode(text: string): ModeChange | undefined {
  if (/^[0-7]{3,4}$/.test(text)) return (Number.parseInt(text, 8) & 0o100) === 0 ? "plain" : "executable";
  const clauses = text.split(",").map((clause) => /^([ugoa]*)([-+=])([rwxXst]*)$/.exec(clause));
  if (clauses.includes(null)) return undefined;
  return (
    clauses.map((clause) => changeBy(clause ?? [])).findLast((change) => change !== "unchanged") ??
    "unchanged"
  );
}

function changeBy([, who = "", operator = "", permissions = ""]: readonly string[]): ModeChange {
  if (who !== "" && !/[ua]/.test(who)) return "unchanged";
  if (permissions.includes("x")) return operator === "-" ? "plain" : "executable";
  return operator === "=" ? "plain" : "unchanged";
}

/** Returns whether the mode has permissions that the image does not keep. */
export function losesPermissions(text: string): boolean {
  return /^[0-7]{3,4}$/.test(text) && ![0o755, 0o644].includes(Number.parseInt(text, 8) & 0o777);
}

function makeDirectories(words: readonly Word[], context: CommandContext): readonly Outcome[] {
  return operands(words, /^(?:-p|-v|-pv|-vp|--parents|--verbose)$/).map(({ text }) => ({
    step: { ...context.position, kind: "mkdir", path: context.path(text) },
  }));
}

function changeModes(words: readonly Word[], context: CommandContext): readonly Outcome[] {
  const recursive = words.some(({ text }) => text === "-R" || text === "--recursive");
  const rest = words.filter(({ text }) => text !== "-R" && text !== "--recursive");
  const [first, ...paths] = rest;
  const mode = first && parseMode(first.text);
  if (!first || mode === undefined)
    throw new WordError(`chmod ${first?.text ?? ""} is not a mode that is known`);
  if (paths.length === 0) throw new WordError("chmod names no file");
  const lost = losesPermissions(first.text) ? [{ note: keptModes(first.text) }] : [];
  const steps = operands(paths, /^$/).map(({ text }) => ({
    step: { ...context.position, kind: "chmod", path: context.path(text), recursive, mode } as const,
  }));
  return [...steps, ...lost];
}

export function keptModes(mode: string): string {
  return `mode ${mode} becomes 0755 for files that their owner may execute and 0644 for others: Lambda runs a function as a user of its own`;
}

/** Plans `chown`, which has no effect: root owns every file, and every user can read it. */
function changeOwners(): readonly Outcome[] {
  return [
    { note: "chown has no effect: Lambda runs a function as a user of its own, who may read every file" },
  ];
}

const CACHES = /^(?:\/root|~)\/(?:\.cache|\.npm|\.local\/share\/pnpm)(?:\/|$)/;

/**
 * Plans `rm [-rf] FILE...`. Caches of package managers are skipped, because a build creates none.
 */
function removeFiles(words: readonly Word[], context: CommandContext): readonly Outcome[] {
  return operands(words, /^-(?:r|f|rf|fr)$/, CACHES).flatMap(({ text }) =>
    CACHES.test(text)
      ? []
      : [{ step: { ...context.position, kind: "remove", path: context.path(text) } as const }],
  );
}

function changeDirectory([directory, ...rest]: readonly Word[], context: CommandContext): readonly Outcome[] {
  refuseWords(rest);
  if (!directory || directory.pattern || directory.text.startsWith("-"))
    throw new WordError("cd names no directory");
  context.enter(directory.text);
  return [];
}

/**
 * Returns the words that are not options.
 * @throws WordError for unknown options, for patterns, and if there is no word
 */
function operands(words: readonly Word[], options: RegExp, mayBePatterns = /^$/): readonly Word[] {
  const names = words.filter(({ text }) => !options.test(text));
  const odd = names.find(
    ({ text, pattern }) => text.startsWith("-") || (pattern && !mayBePatterns.test(text)),
  );
  if (odd)
    throw odd.pattern
      ? new WordError(
          `${odd.text} is a pattern that takes a shell`,
          "name the files one by one, or use COPY --chmod",
        )
      : new WordError(`the option ${odd.text} is not known`, `leave ${odd.text} out`);
  if (names.length === 0) throw new WordError("nothing is named");
  return names;
}

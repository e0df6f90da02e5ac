import { statSync } from "node:fs";
import { basename, dirname, posix, relative, resolve, sep } from "node:path";
import type { Note } from "../../dockerfile/instructions.ts";
import { type BaseSettings, evaluateDockerfile } from "../../dockerfile/plan.ts";
import { type CopyStep, rootReference, type StagePlan, type Step } from "../../dockerfile/stage.ts";
import { readStages } from "../../dockerfile/stages.ts";
import { LambdaPackError } from "../../errors.ts";
import { AWS_BASES } from "../../lambda/base-name.ts";
import { readText } from "../build/dockerfile/source.ts";
import type { Settings } from "../config/parse.ts";

export interface ImportOptions {
  readonly file: string;
  /** The name of the function. Default: that of the Dockerfile's directory. */
  readonly name?: string;
  /** The directory for the configuration file. Default: the working directory. */
  readonly directory?: string;
}

export interface ImportResult {
  /** The content of lambda-pack.jsonc. */
  readonly config: { readonly $schema: string; readonly functions: Readonly<Record<string, Settings>> };
  /** The lines that settings cannot express, each with what it does. */
  readonly notTaken: readonly string[];
}

const TASK_ROOT = "/var/task";

/** The settings of every AWS base image. */
const AWS_SETTINGS: BaseSettings = {
  env: [`LAMBDA_TASK_ROOT=${TASK_ROOT}`, "LAMBDA_RUNTIME_DIR=/var/runtime"],
  workingDirectory: TASK_ROOT,
  entrypoint: ["/lambda-entrypoint.sh"],
  cmd: [],
};

/**
 * Translates a Dockerfile into settings of a configuration file. In the build context it only looks
 * at which sources are directories.
 * @throws DOCKERFILE_REFUSED for a file that is not a Dockerfile; FILE_UNREADABLE
 */
export function importDockerfile({
  file,
  name = nameOf(file),
  directory = ".",
}: ImportOptions): ImportResult {
  const dockerfile = readStages(readText(file, "the Dockerfile", "name it as a path from here"), {
    file,
    buildArgs: {},
    platform: "linux/amd64",
  });
  const references = dockerfile.stages.flatMap(({ base }) => (base.kind === "image" ? [base.reference] : []));
  const bases = new Map(
    references
      .filter((reference) => reference.startsWith(`${AWS_BASES}/`))
      .map((reference) => [reference, AWS_SETTINGS]),
  );
  const { stages, notes, errors } = evaluateDockerfile(dockerfile, {
    target: undefined,
    buildArgs: {},
    bases,
  });
  const final = stages.at(-1);
  if (!final)
    throw new LambdaPackError("DOCKERFILE_REFUSED", `${file} has no stage`, { hint: "begin with FROM" });
  const files = filesOf(ownSteps(final, stages));
  const installs = stages.some(({ steps }) => steps.some(({ kind }) => kind === "install"));
  const settings = {
    ...files.settings,
    directory:
      relative(resolve(directory), resolve(dirname(file), files.directory))
        .split(sep)
        .join("/") || ".",
    base: shortBase(rootReference(final, { plans: stages })),
    ...commandOf(final),
    ...(installs && { install: "auto" }),
  };
  const refused = errors.flatMap(({ message }) => message.split("\n"));
  return {
    config: { $schema: "./node_modules/lambda-pack/schema.json", functions: { [name]: settings } },
    notTaken: [...refused, ...files.notTaken, ...notes.map(textOf)],
  };
}

function nameOf(file: string): string {
  const name = basename(resolve(dirname(file)))
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "");
  return name === "" ? "app" : name;
}

function textOf({ file, line, message }: Note): string {
  return `${file}:${line}: ${message}`;
}

function shortBase(reference: string): string {
  return reference.startsWith(`${AWS_BASES}/`) ? reference.slice(AWS_BASES.length + 1) : reference;
}

function commandOf({ settings, platform }: StagePlan): Settings {
  const { cmd = [], entrypoint, workingDirectory, env, labels } = settings;
  const [handler] = cmd;
  return {
    ...(platform?.startsWith("linux/arm64") && { arch: "arm64" }),
    ...(cmd.length === 1 && entrypoint === undefined && { handler }),
    ...((cmd.length > 1 || (cmd.length === 1 && entrypoint !== undefined)) && { cmd }),
    ...(entrypoint !== undefined && { entrypoint }),
    ...(workingDirectory !== undefined && workingDirectory !== TASK_ROOT && { workdir: workingDirectory }),
    ...(Object.keys(env).length > 0 && { env }),
    ...(Object.keys(labels).length > 0 && { label: labels }),
  };
}

function ownSteps(stage: StagePlan, stages: readonly StagePlan[]): readonly Step[] {
  const { base } = stage;
  const parent = base.kind === "stage" ? stages.find(({ number }) => number === base.stage) : undefined;
  return [...(parent ? ownSteps(parent, stages) : []), ...stage.steps];
}

interface ImportedFiles {
  /** The directory, relative to the Dockerfile's. */
  readonly directory: string;
  readonly settings: Settings;
  readonly notTaken: readonly string[];
}

/**
 * Translates COPY of the build context. Files that keep their paths below the task root become
 * `exclude` patterns; all others are reported.
 */
function filesOf(steps: readonly Step[]): ImportedFiles {
  const copies = steps.flatMap((step) => (step.kind === "copy" ? [step] : []));
  const context = copies.filter(({ from }) => from.kind === "context");
  const [only] = context;
  const notTaken = [
    ...copies
      .filter(({ from }) => from.kind !== "context")
      .map((step) => untaken(step, "name what it copies in the directory")),
    ...steps.flatMap((step) =>
      step.kind === "chmod" || step.kind === "remove"
        ? [`${step.file}:${step.line}: ${step.kind} ${step.path}`]
        : [],
    ),
  ];
  if (
    only &&
    context.length === 1 &&
    only.sources.length === 1 &&
    isTaskRoot(only) &&
    /\/$/.test(only.sources[0] ?? "")
  )
    return {
      directory: posix.normalize(only.sources[0] ?? ".").replace(/(?<=.)\/$/, ""),
      settings: {},
      notTaken,
    };
  const kept = context.map((step) => ({
    step,
    paths: step.sources.map((source) => placeKept(source, step)),
  }));
  const moved = kept
    .filter(({ paths }) => paths.includes(undefined))
    .map(({ step }) => untaken(step, "put the files where they are in the image"));
  const paths = kept.flatMap((one) => one.paths).flatMap((path) => path ?? []);
  const isWhole = paths.includes(".");
  const exclude =
    isWhole || paths.length === 0 ? {} : { exclude: ["**", ...paths.map((path) => `!${path}`)] };
  return { directory: ".", settings: exclude, notTaken: [...notTaken, ...moved] };
}

function isTaskRoot({ target }: CopyStep): boolean {
  return target === TASK_ROOT;
}

/**
 * Returns the path of a source that stays the same below the task root; undefined if it changes.
 */
function placeKept(source: string, { file, target, intoDirectory }: CopyStep): string | undefined {
  const path = posix.normalize(source).replace(/(?<=.)\/$/, "");
  if (target === posix.join(TASK_ROOT, path)) return path;
  // COPY copies the contents of a directory, not the directory itself.
  const isDirectory =
    statSync(resolve(dirname(file), path), { throwIfNoEntry: false })?.isDirectory() === true;
  const isInto = intoDirectory || target === TASK_ROOT;
  return !isDirectory && isInto && target === posix.join(TASK_ROOT, posix.dirname(path)) ? path : undefined;
}

function untaken({ file, line, keyword, sources, target }: CopyStep, advice: string): string {
  return `${file}:${line}: ${keyword} ${sources.join(" ")} to ${target}: ${advice}`;
}

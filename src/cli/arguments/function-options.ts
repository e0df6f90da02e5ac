import { existsSync, statSync } from "node:fs";
import { CONFIG_FILE } from "../../commands/options/common.ts";
import { inGroup, type OptionTable, off, optional, withDefault } from "../../commands/options/read.ts";
import { listOf, text } from "../../commands/options/types.ts";
import { type LambdaPackError, misuse } from "../../errors.ts";
import type { DeployOptions, Environment } from "../../index.ts";
import type { Answer } from "../command.ts";
import { exitStatus } from "../exit.ts";
import { failureJson } from "../failure.ts";
import { quote } from "./flags.ts";

/** The options of a command that works on the functions of a configuration file. */
export const FUNCTION_OPTIONS = {
  names: withDefault(listOf(text), [], "the source directory, or functions of lambda-pack.jsonc"),
  ...inGroup("Configuration file", {
    all: off("all functions of the configuration file"),
    config: optional(text, "the configuration file (docs/config.md)", {
      ...{ placeholder: "FILE", variable: "LAMBDA_PACK_CONFIG", defaultText: CONFIG_FILE },
    }),
  }),
} satisfies OptionTable;

/** Returns the positional option of a command that also takes an image, with this summary. */
export function withSummary(summary: string): typeof FUNCTION_OPTIONS.names {
  return { ...FUNCTION_OPTIONS.names, summary };
}

/** An option of the commands that build. */
export const CHANGED_OPTION = inGroup("Configuration file", {
  filterChanged: off("leave out functions whose image is at its destinations already"),
}) satisfies OptionTable;

interface Given {
  readonly names?: readonly string[] | undefined;
  readonly all?: boolean | undefined;
  readonly config?: string | undefined;
}

/** The functions of a file, or the one directory or image, that the arguments name. */
export type Selection =
  | { readonly kind: "functions"; readonly config: string; readonly functions: readonly string[] }
  | OneSource;

interface OneSource {
  readonly kind: "one";
  readonly source: string | undefined;
  /** The configuration file with settings for it; undefined if there is none, or for an image. */
  readonly config?: string;
}

/**
 * Decides what the arguments name. With a configuration file, a word without a slash is one of its
 * functions; `./app` is a directory, and so is any word beside `--base` or `--file`.
 * @param isOne whether a flag shows that the command is about one directory
 * @throws USAGE
 */
export function selectionOf(given: Given, isOne: boolean, environment: Environment): Selection {
  const { names = [], all = false } = given;
  const config = configFile(given, environment);
  if (all && names.length > 0)
    throw misuse("--all and names of functions exclude each other", "leave out one of them");
  if (all && config === undefined)
    throw misuse("--all needs a configuration file", `write ${CONFIG_FILE}, or name one with --config`);
  if (config === undefined) return onlyOne(names);
  if (isAboutOne(given, isOne)) return withFile(onlyOne(names), config, given);
  if (names.length === 0 && !all) throw misuse(`${config} has functions`, "name some of them, or add --all");
  return { kind: "functions", config, functions: names };
}

function withFile(one: OneSource, config: string, given: Given): OneSource {
  if (isDirectory(one.source ?? ".")) return { ...one, config };
  if (given.config !== undefined) throw configWithoutEffect(one.source);
  return one;
}

function isAboutOne({ names = [], all = false, config }: Given, isOne: boolean): boolean {
  return !all && (names.some(isPath) || (isOne && config === undefined));
}

function configFile({ config }: Given, environment: Environment): string | undefined {
  const named = config ?? environment["LAMBDA_PACK_CONFIG"];
  if (named) return named;
  return existsSync(CONFIG_FILE) ? CONFIG_FILE : undefined;
}

function isPath(name: string): boolean {
  return name === "." || /[/\\:]/.test(name);
}

/**
 * Merges the options of a directory in the configuration file, if there is one, with `flags`, which
 * win.
 * @throws CONFIG_INVALID, USAGE
 */
export async function withConfig<T extends object>(
  { source = ".", config }: OneSource,
  table: OptionTable,
  flags: T,
  environment: Environment,
): Promise<T> {
  if (config === undefined) return flags;
  const { directorySettings } = await import("../../commands/functions/directory-settings.ts");
  const settings = directorySettings(source, {
    file: config,
    table,
    flags: Object.fromEntries(Object.entries(flags)),
    environment,
  });
  // The file was checked against the same table.
  return settings as T;
}

/**
 * Does the same for a deploy, in which some options of a build, such as `env`, are the function's.
 * @throws CONFIG_INVALID, USAGE
 */
export async function withDeployConfig<T extends object>(
  { source = ".", config }: OneSource,
  flags: T,
  environment: Environment,
): Promise<T & Pick<DeployOptions, "build">> {
  if (config === undefined) return flags;
  const { deploySettings } = await import("../../commands/functions/directory-settings.ts");
  const settings = deploySettings(source, {
    ...{ file: config, flags: Object.fromEntries(Object.entries(flags)), environment },
  });
  // The file was checked against the same tables.
  return settings as T;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Creates the error for `--config` beside a source that the file says nothing about. */
export function configWithoutEffect(source = "."): LambdaPackError {
  return misuse(`--config has no effect on ${source}`, "leave out --config, or name a function of the file");
}

function onlyOne([source, ...more]: readonly string[]): OneSource {
  if (more.length === 0) return { kind: "one", source };
  throw misuse(
    `unexpected argument ${quote(more[0] ?? "")}: without ${CONFIG_FILE} there is one directory or image`,
    "name one of them",
  );
}

interface Failed {
  readonly functions: readonly ({ readonly name: string } & (
    | { readonly error: LambdaPackError }
    | { readonly result: unknown }
  ))[];
}

/** Checks the shape, because importing the class would load the whole command. */
function isFailed(error: unknown): error is Failed {
  return error instanceof Error && error.name === "FunctionsError" && "functions" in error;
}

type Outcome<R> = { readonly name: string; readonly result: R };

/**
 * Returns the answer of a command about several functions: a line for each that succeeded, and the
 * errors of the others.
 * @throws what `work` throws, except a FunctionsError
 */
export async function answerFor<R>(
  work: Promise<{ readonly functions: readonly Outcome<R>[] }>,
  lineOf: (name: string, result: R) => string,
): Promise<Answer> {
  const lines = (functions: readonly Outcome<R>[]) =>
    functions.map(({ name, result }) => `${lineOf(name, result)}\n`).join("");
  try {
    const result = await work;
    const { functions, ...more } = result;
    return { text: () => lines(functions), json: { functions: byName(functions), ...more } };
  } catch (error) {
    if (!isFailed(error)) throw error;
    // The results have the type that `work` returns.
    const done = error.functions.filter(
      (one): one is Outcome<R> => "result" in one && one.result !== undefined,
    );
    const failures = error.functions.flatMap((one) =>
      "error" in one ? [[one.name, failureJson(one.error)]] : [],
    );
    const json = { functions: byName(done), failures: Object.fromEntries(failures) };
    return { text: () => lines(done), json, status: exitStatus(error), error };
  }
}

function byName<R>(functions: readonly Outcome<R>[]): Readonly<Record<string, R>> {
  return Object.fromEntries(functions.map(({ name, result }) => [name, result]));
}

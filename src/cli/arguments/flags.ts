import { dashed, type Option, type OptionTable } from "../../commands/options/read.ts";
import type { WordForm } from "../../commands/options/types.ts";
import { misuse } from "../../errors.ts";
import type { Environment } from "../../index.ts";
import type { Command } from "../command.ts";
import { OUTPUT_OPTIONS } from "./output-options.ts";

/** The flag of one option. */
export interface Flag {
  /** The name of the option. */
  readonly key: string;
  /** `--cache-dir`, `--no-check`. */
  readonly name: string;
  readonly option: Option<unknown>;
  readonly form: WordForm<unknown>;
  /** The flag that turns off a switch without a default, such as `--no-sandbox`. */
  readonly off?: string;
}

/** Lists the flags of a command in the order of its options, then those of every command. */
export function flagsOf({ options, positionals }: Pick<Command, "options" | "positionals">): readonly Flag[] {
  const byPlace = new Set(positionals.map(({ option }) => option));
  const own = Object.entries(options).filter(([key]) => !byPlace.has(key));
  return [...own.flatMap(toFlag), ...outputFlags()];
}

/** Lists the flags that every command has. */
export function outputFlags(): readonly Flag[] {
  return Object.entries<Option<unknown>>(OUTPUT_OPTIONS).flatMap(toFlag);
}

/** Returns the flag of an option, or none for an option that only a program can give. */
function toFlag([key, option]: readonly [string, Option<unknown>]): readonly Flag[] {
  const { words: form } = option.type;
  if (form === undefined) return [];
  const name = flagName(key, option);
  const hasBoth = form.kind === "switch" && option.absent !== undefined && option.absent.value === undefined;
  return [{ key, name, option, form, ...(hasBoth && { off: name.replace("--", "--no-") }) }];
}

function flagName(key: string, { absent, type }: Option<unknown>): string {
  const isOnByDefault = type.words?.kind === "switch" && absent?.value === true;
  return `--${isOnByDefault ? "no-" : ""}${dashed(key)}`;
}

/** Formats a flag as help shows it: `-t, --to DEST`. */
export function flagForm({ name, option: { short, placeholder }, form, off }: Flag): string {
  if (off !== undefined) return `${name}, ${off}`;
  const word = placeholder ?? "VALUE";
  const value = form.kind === "switch" ? "" : form.alone === undefined ? ` ${word}` : `[=${word}]`;
  return `${short === undefined ? "" : `-${short}, `}${name}${value}`;
}

/**
 * Returns the help text of a flag: summary, whether it is required or repeats, default and
 * variable.
 */
export function flagSummary({ form, option }: Flag): string {
  const { summary, defaultText, variable } = option;
  const notes = [
    isRequired(option) && "required",
    form.kind === "each" && "repeatable",
    defaultText && `default: ${defaultText}`,
    variable && `env: ${variable}`,
  ].filter((note) => typeof note === "string");
  return notes.length === 0 ? summary : `${summary} (${notes.join("; ")})`;
}

export function isRequired({ absent }: Option<unknown>): boolean {
  return absent === undefined;
}

/** The word for a switch that was turned off. */
export const OFF = "false";

/** The words given for each flag, by the name of its option. */
type Words = ReadonlyMap<string, readonly string[]>;

/**
 * Reads the values of the options that were given. The command itself reads the environment
 * variables of the others.
 * @throws USAGE that names a required flag without a value, or a flag whose value is not valid
 */
export function readWords(
  options: OptionTable,
  words: Words,
  environment: Environment,
  nameOf: (key: string) => string,
): Readonly<Record<string, unknown>> {
  const values = Object.entries(options).flatMap(([key, option]) => {
    const given = words.get(key);
    if (given !== undefined) return [[key, readWord(option, given, environment, nameOf(key))] as const];
    // Missing positional arguments were reported before.
    const isFlag = nameOf(key).startsWith("--");
    if (isFlag && isRequired(option) && !(option.variable && environment[option.variable]))
      throw misuse(
        `${nameOf(key)} is missing`,
        `add ${nameOf(key)} ${option.placeholder ?? ""}: ${option.summary}`,
      );
    return [];
  });
  return Object.fromEntries(values);
}

function readWord(
  { type, absent }: Option<unknown>,
  given: readonly string[],
  environment: Environment,
  name: string,
): unknown {
  if (type.words?.kind === "switch") return absent?.value !== true && given.at(-1) !== OFF;
  const value = type.words?.read(given, environment);
  if (value !== undefined) return value;
  const word = given.find((one) => type.words?.read([one], environment) === undefined) ?? "";
  if (word === "") throw misuse(`${name} is empty`);
  throw misuse(
    `${name} should be ${type.words?.expected ?? type.expected}, not ${quote(word)}`,
    type.hint?.(word),
  );
}

/**
 * Quotes a word of the user for a message, and cuts it so that a pasted file does not fill the
 * screen.
 */
export function quote(word: string): string {
  return JSON.stringify(word.length > 80 ? `${word.slice(0, 79)}…` : word);
}

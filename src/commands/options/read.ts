import { type LambdaPackError, misuse } from "../../errors.ts";
import { nearest } from "../../lambda/nearest.ts";
import type { Environment } from "../../session/session.ts";
import type { NoEffect } from "./no-effect.ts";
import { type OptionType, textOrList, toggle } from "./types.ts";

/** Facts about an option other than its type and summary, and the other ways to give it. */
interface OptionFacts {
  /** The environment variable with the value if the option is not given. */
  readonly variable?: string;
  /** The placeholder of the value in help: `DIR`. */
  readonly placeholder?: string;
  /** The letter of the short flag. */
  readonly short?: string;
  /** A flag of another tool that means the same. */
  readonly alias?: string;
  /** The default in words, if the value does not show it. */
  readonly defaultText?: string;
  /** More about the values that a program gives, for the published types. */
  readonly details?: string;
  /** The heading of the flag in help. Default: "Other". */
  readonly group?: string;
  /** Returns why it has no effect in a run. Absent: it always has one. */
  readonly noEffect?: NoEffect;
}

/**
 * An option of a command, defined once for the API, the command line, the configuration file and
 * the documentation. Its flag is its name with dashes: `cacheDir` is `--cache-dir`. A switch that
 * is on by default has a flag that turns it off: `check` is `--no-check`. A caller gives an `Input`,
 * which is parsed to a `T`.
 */
export interface Option<T, Input = T> extends OptionFacts {
  readonly type: OptionType<T & {}, Input>;
  /** The description, in one sentence without a full stop. */
  readonly summary: string;
  /** Absent: the option is required. */
  readonly absent?: { readonly value: T };
}

/** An option that a caller can leave out. */
export interface Omissible<T, Input = T> extends Option<T, Input> {
  readonly absent: { readonly value: T };
}

export type OptionTable = Readonly<Record<string, Option<unknown>>>;

/** The values of all options in a table. */
export type Values<T> = { readonly [K in keyof T]: T[K] extends Option<infer V, unknown> ? V : never };

/**
 * The options that a caller gives, with the descriptions in the table: scripts/build/types.ts writes
 * them to the published types.
 */
export type OptionsOf<T> = {
  readonly [K in keyof T as T[K] extends Omissible<unknown> ? never : K]: InputOf<T[K]>;
} & {
  readonly [K in keyof T as T[K] extends Omissible<unknown> ? K : never]?: InputOf<T[K]>;
};

type InputOf<O> = O extends { readonly type: OptionType<unknown, infer Input> } ? Input : never;

export function required<T extends {}, Input>(
  type: OptionType<T, Input>,
  summary: string,
  facts: OptionFacts = {},
): Option<T, Input> {
  return { type, summary, ...facts };
}

/**
 * Defines an option that can be undefined; the summary or default text explains what this means.
 */
export function optional<T extends {}, Input>(
  type: OptionType<T, Input>,
  summary: string,
  facts: OptionFacts = {},
): Omissible<T | undefined, Input> {
  return { type, summary, absent: { value: undefined }, ...facts };
}

export function withDefault<T extends {}, Input>(
  type: OptionType<T, Input>,
  value: NoInfer<T>,
  summary: string,
  facts: OptionFacts = {},
): Omissible<T, Input> {
  return { type, summary, absent: { value }, ...facts };
}

/** Defines a switch that is off by default. */
export function off(summary: string, facts: OptionFacts = {}): Omissible<boolean> {
  return withDefault(toggle, false, summary, facts);
}

/** Defines a list of strings that is empty by default. */
export function texts(
  summary: string,
  facts: OptionFacts = {},
): Omissible<readonly string[], string | readonly string[]> {
  return withDefault(textOrList, [], summary, facts);
}

/** Returns the option of another command with other facts. */
export function adapted<O extends Option<unknown>>(
  option: O,
  facts: OptionFacts & { readonly summary?: string },
): O {
  return { ...option, ...facts };
}

/** Returns the options of a table that another one does not have. */
export function without<T extends OptionTable, U extends OptionTable>(table: T, other: U): Omit<T, keyof U> {
  const left = Object.entries(table).filter(([name]) => !Object.hasOwn(other, name));
  // The filter removes exactly the names of the other table.
  return Object.fromEntries(left) as Omit<T, keyof U>;
}

/** Formats the name of an option as in its flag: `cacheDir` is `cache-dir`. */
export function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Sets the heading in help of the options that have none. */
export function inGroup<T extends OptionTable>(group: string, table: T): T {
  const grouped = Object.entries(table).map(([name, option]) => [name, { group, ...option }]);
  // The names and types of the options stay the same.
  return Object.fromEntries(grouped) as T;
}

/**
 * Checks the options that a caller of `command` gave, and fills in the defaults. An option that is
 * `undefined` counts as not given.
 * @throws USAGE that names an unknown or missing option, or one of a wrong type
 */
export function readOptions<T extends OptionTable>(
  command: string,
  table: T,
  options: unknown,
  environment: Environment = {},
): Values<T> {
  const given = givenOptions(command, options);
  for (const name of given.keys()) if (!Object.hasOwn(table, name)) throw unknownOption(command, name, table);
  const values = Object.entries(table).map(([name, option]) => [
    name,
    readOption(command, name, option, given.get(name), environment),
  ]);
  // There is one value for each option of the table, of that option's type.
  return Object.fromEntries(values) as Values<T>;
}

function givenOptions(command: string, options: unknown): ReadonlyMap<string, unknown> {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw misuse(`${command} takes an object with options, not ${shown(options)}`);
  return new Map(Object.entries(options).filter(([, value]) => value !== undefined));
}

function readOption(
  command: string,
  name: string,
  { type, absent, variable }: Option<unknown>,
  value: unknown,
  environment: Environment,
): unknown {
  if (value !== undefined) {
    const parsed = type.parse(value);
    if (parsed !== undefined) return parsed;
    throw misuse(`${name} should be ${type.expected}, not ${shown(value)}`, type.hint?.(value));
  }
  const fromVariable = variable === undefined ? undefined : readVariable(variable, type, environment);
  if (fromVariable !== undefined) return fromVariable;
  if (absent) return absent.value;
  throw misuse(`${command} needs the option ${name}`, `${name}: ${type.expected}`);
}

/**
 * Reads the value of a variable; several values are separated by spaces. An empty variable counts
 * as not set.
 */
export function readVariable(variable: string, type: OptionType<unknown>, environment: Environment): unknown {
  const text = environment[variable]?.trim() ?? "";
  if (text === "" || type.words === undefined) return undefined;
  const value = type.words.read(type.words.kind === "each" ? text.split(/\s+/) : [text], environment);
  if (value !== undefined) return value;
  const expected = type.words.expected ?? type.expected;
  throw misuse(`${variable} should be ${expected}, not ${shown(text)}`, type.hint?.(text));
}

function unknownOption(command: string, name: string, table: OptionTable): LambdaPackError {
  const near = beginningOf(name, table) ?? nearest(name, Object.keys(table), 1)[0];
  return misuse(
    `${command} has no option ${shown(name)}`,
    near === undefined ? `its options are ${Object.keys(table).join(", ")}` : `did you mean ${near}?`,
  );
}

/** Finds an option that the name begins with: other tools have `architecture` for `arch`. */
function beginningOf(name: string, table: OptionTable): string | undefined {
  return Object.keys(table)
    .filter((option) => option.length > 2 && name.startsWith(option))
    .sort((a, b) => b.length - a.length)[0];
}

/** Formats a value for a message, and cuts it so that it does not fill the screen. */
function shown(value: unknown): string {
  if (typeof value === "function" || typeof value === "symbol" || typeof value === "bigint")
    return `a ${typeof value}`;
  if (value instanceof Date || value instanceof Map || value instanceof Set)
    return `a ${value.constructor.name}`;
  const text = jsonOf(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return "an object that is not JSON";
  }
}

import { LambdaPackError } from "../../errors.ts";
import { nearest } from "../../lambda/nearest.ts";
import type { Environment } from "../../session/plan.ts";
import type { OptionType } from "./types.ts";

/**
 * One option of a command, defined once for the API, the command line, the configuration file and
 * the documents.
 */
export interface Option<T> {
  readonly type: OptionType<T & {}>;
  /** What it is, in one sentence without a full stop. */
  readonly summary: string;
  /** Absent: the option is required. */
  readonly absent?: { readonly value: T };
  /** The variable of the environment that holds the value where the option is not given. */
  readonly variable?: string;
}

export type OptionTable = Readonly<Record<string, Option<unknown>>>;

/** The values of all options of a table; none is missing. */
export type Values<T> = { readonly [K in keyof T]: T[K] extends Option<infer V> ? V : never };

export function required<T>(type: OptionType<T & {}>, summary: string): Option<T> {
  return { type, summary };
}

/** An option whose absence has a meaning of its own, which the summary tells. */
export function optional<T>(type: OptionType<T & {}>, summary: string): Option<T | undefined> {
  return { type, summary, absent: { value: undefined } };
}

export function withDefault<T>(
  type: OptionType<T & {}>,
  value: T,
  summary: string,
  variable?: string,
): Option<T> {
  return { type, summary, absent: { value }, ...(variable !== undefined && { variable }) };
}

/**
 * Checks the options that a caller of `command` gave and fills in the defaults. An option that is
 * `undefined` counts as not given.
 * @throws USAGE naming the option that is unknown, missing or of a wrong type.
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
  // One value for each option of the table, of that option's type.
  return Object.fromEntries(values) as Values<T>;
}

function givenOptions(command: string, options: unknown): ReadonlyMap<string, unknown> {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw usage(`${command} takes an object with options, not ${shown(options)}`);
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
    throw usage(`${name} should be ${type.expected}, not ${shown(value)}`, type.hint?.(value));
  }
  const word = variable === undefined ? "" : (environment[variable] ?? "");
  if (word !== "") {
    const parsed = type.parseText?.(word);
    if (parsed !== undefined) return parsed;
    throw usage(`${variable} should be ${type.expected}, not ${shown(word)}`, type.hint?.(word));
  }
  if (absent) return absent.value;
  throw usage(`${command} needs the option ${name}`, `${name}: ${type.expected}`);
}

function unknownOption(command: string, name: string, table: OptionTable): LambdaPackError {
  const [near] = nearest(name, Object.keys(table), 1);
  return usage(
    `${command} has no option ${shown(name)}`,
    near === undefined ? `its options are ${Object.keys(table).join(", ")}` : `did you mean ${near}?`,
  );
}

function usage(message: string, hint?: string): LambdaPackError {
  return new LambdaPackError("USAGE", message, { hint });
}

/** A value in a message, cut so that a large one does not fill the screen. */
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

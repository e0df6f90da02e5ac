import { CommanderError, Option as Definition, Command as Parser } from "commander";
import { readOptions } from "../../commands/options/read.ts";
import { misuse } from "../../errors.ts";
import type { Environment } from "../../index.ts";
import type { Command, ListedCommand } from "../command.ts";
import { COMMANDS } from "../commands.ts";
import { unknownCommand, unknownFlag } from "./advice.ts";
import { type Flag, flagForm, flagsOf, OFF, outputFlags, quote, readWords } from "./flags.ts";
import { OUTPUT_OPTIONS, type Output } from "./output-options.ts";

/** What the user asks for. `command` of help is the command whose page is shown. */
export type Request =
  | { readonly kind: "help"; readonly command?: ListedCommand | undefined }
  | { readonly kind: "version" }
  | {
      readonly kind: "run";
      readonly command: Command;
      /** The options that were given, by name. */
      readonly given: Readonly<Record<string, unknown>>;
      readonly output: Output;
    };

/**
 * Parses the command line. Flags of every command may also stand before the command.
 * @throws USAGE for an unknown command, flag or argument, with the nearest known one
 */
export async function parse(argv: readonly string[], environment: Environment): Promise<Request> {
  const words = new Map<string, string[]>();
  const { operands, unknown } = parseFlags("lambda-pack", outputFlags(), argv, words, COMMANDS);
  const [name] = operands;
  const listed = COMMANDS.find((one) => one.name === name);
  if (name === undefined && unknown[0] !== undefined) throw unknownFlag(unknown[0], undefined, []);
  if (name === undefined && words.size === 0) return { kind: "help" };
  if (words.has("version")) return { kind: "version" };
  if (listed !== undefined) return parseCommand(listed, unknown, words, environment);
  if (name === "help") return helpAbout([...operands.slice(1), ...unknown]);
  if (name !== undefined) throw unknownCommand(name);
  if (words.has("help")) return { kind: "help" };
  throw misuse("no command is given", "lambda-pack --help lists the commands");
}

/** Answers `lambda-pack help`, with the words after it. @throws USAGE for an unknown command */
function helpAbout(words: readonly string[]): Request {
  const name = words.find((word) => !word.startsWith("-"));
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined && name !== undefined) throw unknownCommand(name);
  return { kind: "help", command };
}

async function parseCommand(
  listed: ListedCommand,
  argv: readonly string[],
  words: Map<string, string[]>,
  environment: Environment,
): Promise<Request> {
  const command = await listed.load();
  const flags = flagsOf(command);
  const { operands, unknown } = parseFlags(listed.name, flags, argv, words);
  if (words.has("help")) return { kind: "help", command: listed };
  if (words.has("version")) return { kind: "version" };
  if (unknown[0] !== undefined) throw unknownFlag(unknown[0], listed.name, flags);
  for (const [option, given] of placed(listed.name, command, operands)) words.set(option, given);
  const loud = ["verbose", "progress"].find((key) => words.has(key));
  if (words.has("quiet") && loud !== undefined)
    throw misuse(`--quiet and --${loud} exclude each other`, "leave out one of them");
  const nameOf = (key: string) => {
    const flag = flags.find((one) => one.key === key);
    return flag ? nameAsTyped(flag, argv) : placeName(command, key);
  };
  const output = readWords(OUTPUT_OPTIONS, words, environment, nameOf);
  return {
    kind: "run",
    command,
    given: readWords(command.options, words, environment, nameOf),
    output: readOptions("lambda-pack", OUTPUT_OPTIONS, output, environment),
  };
}

/** Returns `--platform` for `--arch` if the user typed that. */
function nameAsTyped({ name, option: { alias } }: Flag, argv: readonly string[]): string {
  const other = `--${alias}`;
  return argv.some((word) => word === other || word.startsWith(`${other}=`)) ? other : name;
}

/**
 * Adds the values of each flag to `words`. Returns the words that are not flags, and the unknown
 * flags.
 */
function parseFlags(
  name: string,
  flags: readonly Flag[],
  argv: readonly string[],
  words: Map<string, string[]>,
  commands: readonly ListedCommand[] = [],
): { readonly operands: readonly string[]; readonly unknown: readonly string[] } {
  const parser = new Parser(name).exitOverride().enablePositionalOptions();
  parser.configureOutput({ outputError: () => undefined });
  for (const flag of flags) {
    const collect = (word: unknown) => {
      if (typeof word === "string") checkValue(word, flag, flags, argv);
      words.set(flag.key, [...(words.get(flag.key) ?? []), typeof word === "string" ? word : ""]);
    };
    for (const syntax of syntaxesOf(flag)) {
      const definition = new Definition(syntax);
      parser.addOption(definition).on(`option:${definition.name()}`, collect);
    }
    if (flag.off !== undefined)
      parser.option(flag.off).on(`option:${flag.off.slice(2)}`, () => words.set(flag.key, [OFF]));
  }
  for (const { name } of [...commands, ...(commands.length > 0 ? [{ name: "help" }] : [])])
    parser.command(name);
  try {
    return parser.parseOptions(withLoneValues(argv, flags));
  } catch (error) {
    throw error instanceof CommanderError ? missingValue(error, flags) : error;
  }
}

/**
 * Sets the value of a flag that stands alone: in `--install DIR`, DIR is the directory to build. A
 * value has to be written as `--install=HOW`.
 */
function withLoneValues(argv: readonly string[], flags: readonly Flag[]): string[] {
  const end = argv.indexOf("--");
  return argv.map((word, index) => {
    const flag = end < 0 || index < end ? flags.find(({ name }) => name === word) : undefined;
    return flag?.form.alone === undefined ? word : `${word}=${flag.form.alone}`;
  });
}

/** Returns the flag in commander's syntax: `-t, --to <DEST>`. */
export function syntaxesOf({ name, form, option: { short, placeholder, alias } }: Flag): readonly string[] {
  const value = form.kind === "switch" ? "" : ` <${placeholder ?? "VALUE"}>`;
  return [
    `${short === undefined ? "" : `-${short}, `}${name}${value}`,
    ...(alias === undefined ? [] : [`--${alias}${value}`]),
    ...(name === "--version" ? ["-V"] : []),
  ];
}

/**
 * Rejects a value that looks like a flag: `--cmd -m` is valid, `--cmd --entrypoint` lacks its
 * value. A lone `-` is always a value.
 */
function checkValue(
  word: string,
  { name, form }: Flag,
  flags: readonly Flag[],
  argv: readonly string[],
): void {
  const isInline = argv.some((one) => one.startsWith("--") && one.endsWith(`=${word}`));
  if (isInline || !/^-./.test(word)) return;
  if (form.dashes && !flags.some((flag) => flag.name === word.replace(/=.*$/s, ""))) return;
  throw misuse(
    `${name} needs a value, and ${quote(word)} looks like a flag`,
    `if it is the value, write ${name}=${word}`,
  );
}

/** Finds the flag by its definition, which commander's message quotes. */
function missingValue({ message }: CommanderError, flags: readonly Flag[]): Error {
  const flag = flags.find((one) => syntaxesOf(one).some((syntax) => message.includes(`'${syntax}'`)));
  if (flag === undefined) return misuse(message.replace(/^error: /, ""));
  return misuse(`${flag.name} needs a value`, `write ${flagForm(flag)}`);
}

/** Assigns the words to the positional arguments. @throws USAGE */
function placed(
  name: string,
  { positionals, options }: Command,
  operands: readonly string[],
): readonly (readonly [option: string, words: string[]])[] {
  const missing = positionals.slice(operands.length).find(({ required }) => required);
  if (missing)
    throw misuse(
      `${name} needs <${missing.name}>`,
      `add <${missing.name}>: ${options[missing.option]?.summary}`,
    );
  const isOpen = positionals.at(-1)?.repeatable === true;
  const extra = isOpen ? undefined : operands[positionals.length];
  if (extra !== undefined)
    throw misuse(
      `unexpected argument ${quote(extra)}: ${name} takes ${countText(positionals.map((one) => one.name))}`,
      `lambda-pack ${name} --help lists its arguments and flags`,
    );
  return positionals.flatMap(({ option, repeatable }, index) => {
    const own = repeatable ? operands.slice(index) : operands.slice(index, index + 1);
    return own.length === 0 ? [] : [[option, own] as const];
  });
}

function countText(names: readonly string[]): string {
  return names.length === 0 ? "no arguments" : names.map((name) => `<${name}>`).join(" and ");
}

function placeName({ positionals }: Command, key: string): string {
  return `<${positionals.find(({ option }) => option === key)?.name ?? key}>`;
}

import { parseArgs } from "node:util";
import type { LambdaPackError } from "../errors.ts";
import type { AnyFlags, Command, Flag, Words } from "./command.ts";
import { flagsOf } from "./commands.ts";
import { nearest } from "./nearest.ts";
import { flagName } from "./text.ts";
import { quote, wrong } from "./values.ts";

/** What the user asks for. */
export type Request =
  | { readonly kind: "help"; readonly command: Command | undefined }
  | { readonly kind: "version" }
  | { readonly kind: "run"; readonly command: Command; readonly words: Words };

/** Words that users of other tools type, and ours. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ["platform", "arch"],
  ["architecture", "arch"],
  ["output", "to"],
  ["from", "base"],
  ["image", "base"],
  ["compression-level", "level"],
  ["iidfile", "metadata-file"],
]);

interface NamedFlag {
  readonly key: string;
  readonly flag: Flag<unknown>;
}

/**
 * Cuts `argv` into words; flags may stand before or after the command.
 * @throws USAGE for a command, flag or positional that is not in the table, with the one that was probably meant
 */
export function parse(argv: readonly string[], commands: readonly Command[]): Request {
  const first = tokensOf(argv, merged(commands)).find((token) => token.kind === "positional");
  const name = first?.value;
  const command = commands.find((one) => one.name === name);
  const words = command && first ? argv.toSpliced(first.index, 1) : argv;
  const tokens = tokensOf(words, command ? flagsOf(command) : merged(commands));
  const asked = (flag: string) => tokens.some((token) => token.kind === "option" && token.name === flag);
  if (asked("help") || name === "help") return { kind: "help", command: command ?? topic(argv, commands) };
  if (asked("version")) return { kind: "version" };
  if (command === undefined) throw unknownCommand(name, commands);
  return { kind: "run", command, words: wordsOf(tokens, command) };
}

/** The command that `help build` asks about. */
function topic(argv: readonly string[], commands: readonly Command[]): Command | undefined {
  return commands.find(({ name }) => argv.includes(name));
}

function merged(commands: readonly Command[]): AnyFlags {
  return Object.assign({}, ...commands.map(flagsOf));
}

interface OptionToken {
  readonly kind: "option";
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

/** As node:util makes them. */
type Token =
  | OptionToken
  | { readonly kind: "positional"; readonly index: number; readonly value: string }
  | { readonly kind: "option-terminator" };

function tokensOf(argv: readonly string[], flags: AnyFlags): readonly Token[] {
  const options = Object.fromEntries(
    Object.entries(flags).map(([key, { placeholder, short }]) => [
      flagName(key),
      {
        type: placeholder === undefined ? ("boolean" as const) : ("string" as const),
        ...(short && { short }),
      },
    ]),
  );
  return parseArgs({
    args: withValues(argv, flags),
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  }).tokens;
}

/** `--install DIR` is a flag that stands alone, and a directory. */
function withValues(argv: readonly string[], flags: AnyFlags): string[] {
  const end = argv.indexOf("--");
  const values = new Map<string, string>(
    Object.entries(flags).flatMap(([key, { alone }]) =>
      alone === undefined ? [] : [[`--${flagName(key)}`, alone] as const],
    ),
  );
  return argv.map((word, index) => {
    const alone = end < 0 || index < end ? values.get(word) : undefined;
    return alone === undefined ? word : `${word}=${alone}`;
  });
}

function wordsOf(tokens: readonly Token[], command: Command): Words {
  const named = new Map<string, NamedFlag>(
    Object.entries(flagsOf(command)).map(([key, flag]) => [flagName(key), { key, flag }]),
  );
  const flags = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const found = named.get(token.name);
    if (found === undefined) throw unknownFlag(token.rawName, [...named.keys()], command);
    flags.set(found.key, [...(flags.get(found.key) ?? []), wordOf(token, found.flag, named)]);
  }
  const positionals = tokens.flatMap((token) => (token.kind === "positional" ? [token.value] : []));
  return { flags, positionals: checked(positionals, command) };
}

function wordOf(
  { rawName, value, inlineValue }: OptionToken,
  { placeholder, dashes = false }: Flag<unknown>,
  named: ReadonlyMap<string, NamedFlag>,
): string {
  if (placeholder === undefined) {
    if (value !== undefined) throw wrong(`${rawName} takes no value, and has ${quote(value)}`);
    return "";
  }
  if (value === undefined) throw wrong(`${rawName} needs a value`, `the form is ${rawName} ${placeholder}`);
  if (!inlineValue && looksLikeFlag(value, dashes, named)) {
    throw wrong(
      `${rawName} needs a value, and ${quote(value)} looks like a flag`,
      `if it is the value, write ${rawName}=${value}`,
    );
  }
  return value;
}

/** `--cmd -m` is a word; `--cmd --entrypoint` forgot one. A lone `-` is a word everywhere. */
function looksLikeFlag(word: string, dashes: boolean, named: ReadonlyMap<string, NamedFlag>): boolean {
  if (!/^-./.test(word)) return false;
  return !dashes || named.has(word.replace(/^--/, "").replace(/=.*$/s, ""));
}

function checked(words: readonly string[], { name, positionals }: Command): readonly string[] {
  const missing = positionals.slice(words.length).find(({ required }) => required);
  if (missing) throw wrong(`${name} needs <${missing.name}>`, `<${missing.name}>: ${missing.summary}`);
  const extra = positionals.some(({ repeatable }) => repeatable) ? undefined : words[positionals.length];
  if (extra !== undefined) {
    throw wrong(
      `${name} does not know what ${quote(extra)} is for`,
      `lambda-pack ${name} --help shows what it takes`,
    );
  }
  return words;
}

function unknownFlag(rawName: string, names: readonly string[], { name }: Command): LambdaPackError {
  const bare = rawName.replace(/^-+/, "");
  const other = ELSEWHERE.get(bare);
  const meant = other !== undefined && names.includes(other) ? other : nearest(bare, names);
  return wrong(`${name} has no flag ${rawName}`, hint(meant && `--${meant}`, `lambda-pack ${name} --help`));
}

function unknownCommand(name: string | undefined, commands: readonly Command[]): LambdaPackError {
  const names = commands.map((command) => command.name);
  if (name === undefined) return wrong("no command is given", "lambda-pack --help shows what there is");
  return wrong(`unknown command ${quote(name)}`, hint(nearest(name, names), "lambda-pack --help"));
}

function hint(meant: string | undefined, help: string): string {
  return meant ? `did you mean ${meant}?` : `${help} shows what there is`;
}

import type { Position } from "./instructions.ts";
import type { InstallStep, InstallTarget, Step } from "./stage.ts";
import { type Word, WordError } from "./words.ts";

/** The result of one command: a step, or a note for the user. */
export type Outcome = { readonly step: Step } | { readonly note: string };

type Install = Partial<InstallStep> & {
  readonly manager: InstallStep["manager"];
  readonly target: InstallTarget;
};

/** The parts of the instruction and of earlier commands that a command can use. */
export interface CommandContext {
  readonly position: Position;
  /** The command as it is shown in messages. */
  readonly command: string;
  readonly directory: string;
  /** Settings of package managers from earlier commands in the same stage. */
  readonly settings: Map<string, string>;
  variable(name: string): string | undefined;
  /** Returns the absolute path in the image. */
  path(written: string): string;
  /** Changes the directory of the later commands in the same RUN. */
  enter(directory: string): void;
  install(install: Install): Outcome;
}

/** Converts the arguments of a program to steps and notes. @throws WordError */
export type Planner = (words: readonly Word[], context: CommandContext) => readonly Outcome[];

/**
 * The meaning of each option, by its name on the command line. A meaning that ends with `=` takes a
 * value.
 */
export type Options = ReadonlyMap<string, string>;

/**
 * Builds a table of options from names by meaning, separated by spaces:
 * `{ "target=": "-t --target" }`. Options under `ignored` and `ignored=` do not affect the result.
 */
export function optionTable(names: Readonly<Record<string, string>>, more: Options = new Map()): Options {
  const own = Object.entries(names).flatMap(([meaning, list]) =>
    list.split(" ").map((name) => [name, meaning] as const),
  );
  return new Map([...more, ...own]);
}

export interface Arguments {
  /** Returns the values of the options with a meaning; a flag has the value `true`. */
  all(meaning: string): readonly string[];
  has(meaning: string): boolean;
  readonly positional: readonly Word[];
}

/**
 * Parses the arguments of a known command.
 * @throws WordError for an option that is not in `options`, or that lacks its value
 */
export function parseArguments(words: readonly Word[], options: Options): Arguments {
  const values = new Map<string, string[]>();
  const positional: Word[] = [];
  const rest = [...words];
  for (let word = rest.shift(); word; word = rest.shift()) {
    if (!word.text.startsWith("-") || word.text === "-") positional.push(word);
    else {
      const { meaning, value } = readOption(word.text, rest, options);
      values.set(meaning, [...(values.get(meaning) ?? []), value]);
    }
  }
  const all = (meaning: string) => values.get(meaning) ?? [];
  return { all, has: (meaning) => values.has(meaning), positional };
}

function readOption(
  text: string,
  rest: Word[],
  options: Options,
): { readonly meaning: string; readonly value: string } {
  const { name, attached } = splitOption(text, options);
  const meaning = options.get(name);
  if (meaning === undefined) throw new WordError(`the option ${name} is not known`, `leave ${name} out`);
  if (!meaning.endsWith("=")) return { meaning, value: attached ?? "true" };
  const value = attached ?? rest.shift()?.text;
  if (value === undefined) throw new WordError(`the option ${name} has no value`);
  return { meaning: meaning.slice(0, -1), value };
}

/** Splits an option with an attached value: `--target=DIR`, `-tDIR`. */
function splitOption(text: string, options: Options): { readonly name: string; readonly attached?: string } {
  if (text.startsWith("--")) {
    const at = text.indexOf("=");
    return at < 0 ? { name: text } : { name: text.slice(0, at), attached: text.slice(at + 1) };
  }
  const short = text.slice(0, 2);
  const takesValue = options.get(short)?.endsWith("=") === true;
  return text.length > 2 && takesValue ? { name: short, attached: text.slice(2) } : { name: text };
}

/** Refuses positional arguments. @throws WordError */
export function refuseWords([first]: readonly Word[]): void {
  if (first) throw new WordError(`${first.text} is one word more than is known`);
}

import type { Position } from "./instructions.ts";
import type { InstallStep, InstallTarget, Step } from "./stage.ts";
import { type Word, WordError } from "./words.ts";

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
  /** As a message may show it. */
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

/** Turns the words after the name of a program into what they come to. @throws WordError */
export type Planner = (words: readonly Word[], context: CommandContext) => readonly Outcome[];

/**
 * What each option means, by its name on the command line. A meaning that ends in `=` takes a
 * value.
 */
export type Options = ReadonlyMap<string, string>;

/**
 * Makes a table of options from their names by meaning, separated by spaces:
 * `{ "target=": "-t --target" }`. What `ignored` and `ignored=` name has no effect on the result.
 */
export function optionTable(names: Readonly<Record<string, string>>, more: Options = new Map()): Options {
  const own = Object.entries(names).flatMap(([meaning, list]) =>
    list.split(" ").map((name) => [name, meaning] as const),
  );
  return new Map([...more, ...own]);
}

export interface Arguments {
  /** Values of the options of a meaning; `true` is the value of a flag. */
  all(meaning: string): readonly string[];
  has(meaning: string): boolean;
  readonly positional: readonly Word[];
}

/**
 * Reads the arguments of a known command.
 * @throws WordError for an option that is not in `options`, or that has no value.
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

/** `--target=DIR` and `-tDIR` carry their value. */
function splitOption(text: string, options: Options): { readonly name: string; readonly attached?: string } {
  if (text.startsWith("--")) {
    const at = text.indexOf("=");
    return at < 0 ? { name: text } : { name: text.slice(0, at), attached: text.slice(at + 1) };
  }
  const short = text.slice(0, 2);
  const takesValue = options.get(short)?.endsWith("=") === true;
  return text.length > 2 && takesValue ? { name: short, attached: text.slice(2) } : { name: text };
}

/** For a command that takes options only. */
export function refuseWords([first]: readonly Word[]): void {
  if (first) throw new WordError(`${first.text} is one word more than is known`);
}

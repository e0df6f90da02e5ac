import { ShellError, type Word } from "./shell.ts";

/** What each option means, by its name on the command line. A meaning that ends in `=` takes a value. */
export type Options = Readonly<Record<string, string>>;

/** Options without effect on the result. */
export const IGNORED = "ignored";
/** The same, with a value. */
export const IGNORED_VALUE = "ignored=";

export interface Arguments {
  /** Values by the meaning of the option; `true` is the value of a flag. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly positional: readonly Word[];
}

/**
 * Reads the arguments of a known command.
 * @throws ShellError for an option that is not in `options`, or that has no value.
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
  return { values, positional };
}

function readOption(
  text: string,
  rest: Word[],
  options: Options,
): { readonly meaning: string; readonly value: string } {
  const { name, attached } = splitOption(text, options);
  const meaning = Object.hasOwn(options, name) ? options[name] : undefined;
  if (meaning === undefined) throw new ShellError(`the option ${name} is not known`, `leave ${name} out`);
  if (!meaning.endsWith("=")) return { meaning, value: attached ?? "true" };
  const value = attached ?? rest.shift()?.text;
  if (value === undefined) throw new ShellError(`the option ${name} has no value`);
  return { meaning: meaning.slice(0, -1), value };
}

/** `--target=DIR` and `-tDIR` carry their value. */
function splitOption(text: string, options: Options): { readonly name: string; readonly attached?: string } {
  if (text.startsWith("--")) {
    const at = text.indexOf("=");
    return at < 0 ? { name: text } : { name: text.slice(0, at), attached: text.slice(at + 1) };
  }
  const short = text.slice(0, 2);
  const takesValue = options[short]?.endsWith("=") === true;
  return text.length > 2 && takesValue ? { name: short, attached: text.slice(2) } : { name: text };
}

/** For a command that takes options only. */
export function refuseWords([first]: readonly Word[]): void {
  if (first) throw new ShellError(`${first.text} is one word more than is known`);
}

import { LambdaPackError } from "../errors.ts";
import type { Origin } from "./command.ts";

export function text(word: string, { name }: Origin): string {
  if (word === "") throw wrong(`${name} is empty`);
  return word;
}

export function whole(low: number, high: number): (word: string, origin: Origin) => number {
  return (word, { name }) => {
    const number = /^\d{1,9}$/.test(word) ? Number(word) : Number.NaN;
    if (number >= low && number <= high) return number;
    throw wrong(`${name} should be a whole number from ${low} to ${high}, not ${quote(word)}`);
  };
}

/** One of the keys of `choices`; the value behind it is what is meant. */
export function choice<T>(
  choices: Readonly<Record<string, T>>,
  shown: readonly string[] = Object.keys(choices),
): (word: string, origin: Origin) => T {
  const known = new Map(Object.entries(choices));
  return (word, { name }) => {
    const found = known.get(word);
    if (found !== undefined) return found;
    throw wrong(`${name} should be ${shown.slice(0, -1).join(", ")} or ${shown.at(-1)}, not ${quote(word)}`);
  };
}

export type Pair = readonly [name: string, value: string];

/** `K=V`; a `K` alone is taken from the environment, and left out where that has none: as docker does. */
export function variable(word: string, { name, environment }: Origin): Pair | undefined {
  const [key, value] = cut(word, name, "K=V");
  const found = value ?? environment[key];
  return found === undefined ? undefined : [key, found];
}

/** `K=V`; a `K` alone is a label that is there and empty: as docker does. */
export function label(word: string, { name }: Origin): Pair {
  const [key, value] = cut(word, name, "K=V");
  return [key, value ?? ""];
}

/** `NAME=GLOB`. */
export function layerRule(word: string, { name }: Origin): { readonly name: string; readonly glob: string } {
  const [key, glob] = cut(word, name, "NAME=GLOB");
  if (!glob)
    throw wrong(`${name} ${quote(word)} has no pattern`, `for example ${name} 'deps=node_modules/**'`);
  return { name: key, glob };
}

function cut(word: string, name: string, form: string): readonly [string, string | undefined] {
  const at = word.indexOf("=");
  const key = at < 0 ? word : word.slice(0, at);
  if (key === "")
    throw wrong(`${name} ${quote(word)} has no name before the =`, `the form is ${name} ${form}`);
  return [key, at < 0 ? undefined : word.slice(at + 1)];
}

/** One word of a command, or several as a JSON array; `[]` is the way to say "none". */
export function commandWords(word: string, { name }: Origin): readonly string[] {
  if (word.startsWith("[") && word.endsWith("]")) return jsonWords(word, name);
  if (word === "") throw wrong(`${name} is empty`, `${name} '[]' clears what the base has`);
  return [word];
}

function jsonWords(word: string, name: string): readonly string[] {
  const words = parsed(word);
  if (Array.isArray(words) && words.every((one) => typeof one === "string")) return words;
  throw wrong(
    `${name} ${quote(word)} is not a JSON array of strings`,
    `for example ${name} '["python", "-m", "app"]', or one word each time: ${name} python ${name} -m`,
  );
}

function parsed(word: string): unknown {
  try {
    return JSON.parse(word);
  } catch {
    return undefined;
  }
}

/** A wrong word on the command line or in a variable. */
export function wrong(message: string, hint?: string): LambdaPackError {
  return new LambdaPackError("USAGE", message, { hint });
}

/** Cut, so that a pasted file does not fill the screen. */
export function quote(word: string): string {
  return JSON.stringify(word.length > 80 ? `${word.slice(0, 79)}…` : word);
}

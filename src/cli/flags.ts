import { LambdaPackError } from "../errors.ts";
import type { Environment } from "../index.ts";
import type { AnyFlags, Flag, Flags, Origin, Words } from "./command.ts";
import { flagName } from "./text.ts";

type Facts = Omit<Flag<unknown>, "read" | "repeatable">;
type Reader<T> = (word: string, origin: Origin) => T;

/** A flag without a value: given or not. */
export function toggle(summary: string, short?: string): Flag<boolean> {
  return { summary, ...(short && { short }), read: (words) => words.length > 0 };
}

/** A flag with one value; the last one given counts. */
export function value<T>(
  reader: Reader<T>,
  facts: Facts & { readonly placeholder: string },
): Flag<T | undefined> {
  const read: Flag<T | undefined>["read"] = (words, origin) => {
    const word = words.at(-1);
    return word === undefined ? undefined : reader(word, origin);
  };
  return { ...facts, read };
}

/** A flag that may be given again and again; every value counts, in order. */
export function list<T>(
  reader: Reader<T>,
  facts: Facts & { readonly placeholder: string },
): Flag<readonly T[]> {
  return {
    ...facts,
    repeatable: true,
    read: (words, origin) => words.map((word) => reader(word, origin)),
  };
}

/**
 * The values of all `flags`: from the words, else from the flag's variable where that is set and not empty.
 * @throws USAGE naming the flag or the variable whose value is wrong
 */
export function readFlags<V>(flags: Flags<V>, words: Words, environment: Environment): V {
  const entries = Object.entries<Flag<unknown>>(flags as AnyFlags).map(([key, flag]) => {
    const given = words.flags.get(key);
    const stand = flag.variable === undefined ? undefined : environment[flag.variable] || undefined;
    if (given === undefined && stand !== undefined && flag.variable !== undefined) {
      return [key, flag.read([stand], { name: flag.variable, environment })];
    }
    if (given === undefined && flag.required) throw missing(key, flag);
    return [key, flag.read(given ?? [], { name: `--${flagName(key)}`, environment })];
  });
  // `Flags<V>` has, for each key of V, a flag that reads exactly that key's type.
  return Object.fromEntries(entries) as V;
}

function missing(key: string, { placeholder = "", summary }: Flag<unknown>): LambdaPackError {
  return new LambdaPackError("USAGE", `--${flagName(key)} is missing`, {
    hint: `--${flagName(key)} ${placeholder}: ${summary}`,
  });
}

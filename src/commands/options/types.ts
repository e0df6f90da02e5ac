import type { Environment } from "../../session/session.ts";

/** The type of an option's value, which is parsed from what a caller gives: an `Input`. */
export interface OptionType<T, Input = T> {
  /** The description for messages, after "should be": `a string`, `true or false`. */
  readonly expected: string;
  /** JSON schema of the value. */
  readonly schema: object;
  /** Returns the value, or undefined if it has another type or is out of range. */
  readonly parse: (value: unknown) => T | undefined;
  /** The form of the value in a flag or variable. Absent: only a program can give it. */
  readonly words?: WordForm<T>;
  /** Returns the next step for a common mistake. */
  readonly hint?: (value: unknown) => string | undefined;
  /** Never there: it only tells the compiler what a caller can give. */
  readonly input?: Input;
}

/** The form of a value on the command line and in a variable. */
export interface WordForm<T> {
  /**
   * `switch`: a flag without a value. `last`: the last value counts. `each`: all values of a
   * repeated flag count.
   */
  readonly kind: "switch" | "last" | "each";
  /** The description for messages, if it differs from {@link OptionType.expected}. */
  readonly expected?: string;
  /** The value of a flag that stands alone; other values then need `--flag=value`. */
  readonly alone?: string;
  /** Whether a value may begin with a dash, as in `--cmd -m`. */
  readonly dashes?: boolean;
  /** Reads one word for each use of the flag. Returns undefined if one of them is not valid. */
  readonly read: (words: readonly string[], environment: Environment) => T | undefined;
}

/** Defines a form in which the last word counts. */
function lastWord<T>(read: (word: string) => T | undefined): WordForm<T> {
  return { kind: "last", read: (words) => read(words.at(-1) ?? "") };
}

/** A string that is not empty. */
export const text: OptionType<string> = {
  expected: "a string that is not empty",
  schema: { type: "string", minLength: 1 },
  parse: (value) => (typeof value === "string" && value !== "" ? value : undefined),
  words: lastWord((word) => word || undefined),
};

/** A handler. Backslashes become slashes, because it is a path in the image. */
export const handlerText: OptionType<string> = {
  ...text,
  parse: (value) => text.parse(value)?.replaceAll("\\", "/"),
  words: lastWord((word) => word.replaceAll("\\", "/") || undefined),
};

export const toggle: OptionType<boolean> = {
  expected: "true or false",
  schema: { type: "boolean" },
  parse: (value) => (typeof value === "boolean" ? value : undefined),
  words: {
    kind: "switch",
    read: ([word = ""]) => ({ true: true, false: false, 1: true, 0: false })[word],
  },
};

/** Defines a whole number from `low` to `high`, both included. */
export function wholeNumber(low: number, high: number = Number.MAX_SAFE_INTEGER): OptionType<number> {
  const parse = (value: unknown) =>
    typeof value === "number" && Number.isInteger(value) && value >= low && value <= high ? value : undefined;
  return {
    expected:
      high === Number.MAX_SAFE_INTEGER
        ? `a whole number from ${low}`
        : `a whole number from ${low} to ${high}`,
    schema: { type: "integer", minimum: low, maximum: high },
    parse,
    words: lastWord((word) => (/^\d{1,15}$/.test(word) ? parse(Number(word)) : undefined)),
  };
}

/** A share between 0 and 1, both excluded: `0.1`; on the command line also `10%`. */
export const share: OptionType<number> = {
  expected: "a number between 0 and 1",
  schema: { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1 },
  parse: (value) => (typeof value === "number" && value > 0 && value < 1 ? value : undefined),
  words: {
    ...lastWord((word) => {
      const [, digits = "", percent] = /^(\d{1,3}(?:\.\d{1,4})?|0?\.\d{1,4})(%?)$/.exec(word) ?? [];
      const number = Math.round(Number(digits) * (percent === "%" ? 100 : 10_000)) / 10_000;
      return share.parse(number);
    }),
    expected: "between 0 and 1, as 0.1 or 10%",
  },
};

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

/** A number of bytes; as a string with a unit: `500MB`. */
export const byteSize: OptionType<number, number | string> = {
  expected: "a number of bytes or a size such as 2GB",
  schema: { anyOf: [{ type: "integer", minimum: 0 }, { type: "string" }] },
  parse: (value) => {
    if (typeof value === "number") return Number.isInteger(value) && value >= 0 ? value : undefined;
    const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?) ?([kmgt]?)b?$/i.exec(String(value)) ?? [];
    return number === "" ? undefined : Math.round(Number(number) * (UNITS[unit.toLowerCase()] ?? 1));
  },
  words: lastWord((word) => byteSize.parse(word)),
};

/** Defines one of a few words. `others` maps words of other tools to them. */
export function choice<T extends string>(
  words: readonly T[],
  others: Readonly<Record<string, T>> = {},
): OptionType<T> {
  const parse = (value: unknown) =>
    words.find((word) => word === value) ??
    (typeof value === "string" && Object.hasOwn(others, value) ? others[value] : undefined);
  return {
    expected: listed(words),
    schema: { enum: [...words, ...Object.keys(others)] },
    parse,
    words: lastWord(parse),
  };
}

/** Defines a {@link choice} that also accepts true and false for two of the words. */
export function wordOrToggle<T extends string>(
  words: readonly T[],
  meaning: { readonly true: T; readonly false: T },
): OptionType<T, T | boolean> {
  const { parse, ...word } = choice(words);
  return {
    ...word,
    expected: `true, false, ${word.expected}`,
    schema: { enum: [true, false, ...words] },
    parse: (value) => (typeof value === "boolean" ? meaning[`${value}`] : parse(value)),
    words: {
      kind: "last",
      alone: meaning.true,
      expected: word.expected,
      read: (given) => parse(given.at(-1)),
    },
  };
}

/** A string, or a boolean as `true` or `false`. On the command line the flag alone means `true`. */
export const textOrToggle: OptionType<string, string | boolean> = {
  expected: "true, false or a string that is not empty",
  schema: { anyOf: [{ type: "boolean" }, text.schema] },
  parse: (value) => (typeof value === "boolean" ? String(value) : text.parse(value)),
  words: { ...lastWord((word) => word || undefined), alone: "true" },
};

export function listOf<T>(item: OptionType<T>): OptionType<readonly T[]> {
  const { words } = item;
  return {
    expected: `a list, each item ${item.expected}`,
    schema: { type: "array", items: item.schema },
    parse: (value) =>
      Array.isArray(value) ? allOf(value.map((one: unknown) => item.parse(one))) : undefined,
    ...(words && {
      words: {
        kind: "each" as const,
        expected: words.expected ?? item.expected,
        read: (each: readonly string[], environment: Environment) =>
          allOf(each.map((word) => words.read([word], environment))),
      },
    }),
  };
}

function allOf<T>(items: readonly (T | undefined)[]): readonly T[] | undefined {
  return items.every((one) => one !== undefined) ? items : undefined;
}

/** One string or several. */
export const textOrList: OptionType<readonly string[], string | readonly string[]> = {
  ...listOf(text),
  expected: "a string or a list of strings, none of them empty",
  schema: { anyOf: [text.schema, { type: "array", items: text.schema }] },
  parse: (value) => listOf(text).parse(Array.isArray(value) ? value : [value]),
};

/** The words of a command, which may be empty strings. On the command line also a JSON array. */
export const commandWords: OptionType<readonly string[]> = {
  expected: "a list of strings",
  schema: { type: "array", items: { type: "string" } },
  parse: (value) =>
    Array.isArray(value) && value.every((word) => typeof word === "string") ? value : undefined,
  words: {
    kind: "each",
    dashes: true,
    expected: `a word or a JSON array of strings ('[]' removes the base's)`,
    read: (each) => allOf(each.map(wordsOf))?.flat(),
  },
};

function wordsOf(word: string): readonly string[] | undefined {
  if (!(word.startsWith("[") && word.endsWith("]"))) return word === "" ? undefined : [word];
  try {
    return commandWords.parse(JSON.parse(word));
  } catch {
    return undefined;
  }
}

/** Any value including null, as JSON text. */
export const json: OptionType<string, unknown> = {
  expected: "a JSON value",
  schema: {},
  parse: (value) => {
    try {
      return JSON.stringify(value);
    } catch {
      return undefined; // a cycle, or a BigInt
    }
  },
};

/**
 * Defines a value that only a program can pass: a function, a signal, process.env. Its schema
 * matches nothing.
 */
export function instance<T>(expected: string, is: (value: unknown) => value is T): OptionType<T> {
  return { expected, schema: { not: {} }, parse: (value) => (is(value) ? value : undefined) };
}

/** Formats a list: `a`, `a or b`, `a, b or c`. */
function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

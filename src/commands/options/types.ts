/** What the value of an option may be. */
export interface OptionType<T> {
  /** For messages, after "should be": `a string`, `true or false`. */
  readonly expected: string;
  /** JSON schema of the value. */
  readonly schema: object;
  /** The value, or undefined where it is of another type or out of range. */
  readonly parse: (value: unknown) => T | undefined;
  /** The value that a variable of the environment holds; undefined where it is not valid. */
  readonly parseText?: (text: string) => T | undefined;
  /** The next step for a value that is often given by mistake. */
  readonly hint?: (value: unknown) => string | undefined;
}

/** A string that is not empty. */
export const text: OptionType<string> = {
  expected: "a string that is not empty",
  schema: { type: "string", minLength: 1 },
  parse: (value) => (typeof value === "string" && value !== "" ? value : undefined),
  parseText: (word) => (word === "" ? undefined : word),
};

export const toggle: OptionType<boolean> = {
  expected: "true or false",
  schema: { type: "boolean" },
  parse: (value) => (typeof value === "boolean" ? value : undefined),
  parseText: (word) => ({ true: true, false: false, 1: true, 0: false })[word],
};

/** A whole number from `low` to `high`, both included. */
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
    parseText: (word) => (/^\d{1,15}$/.test(word) ? parse(Number(word)) : undefined),
  };
}

/** One of a few words. `others`: words that mean the same elsewhere, and what to write instead. */
export function choice<T extends string>(
  words: readonly T[],
  others: Readonly<Record<string, T>> = {},
): OptionType<T> {
  const parse = (value: unknown) => words.find((word) => word === value);
  return {
    expected: listed(words),
    schema: { enum: words },
    parse,
    parseText: parse,
    hint: (value) => {
      const meant = typeof value === "string" && Object.hasOwn(others, value) ? others[value] : undefined;
      return meant === undefined ? undefined : `write ${JSON.stringify(meant)}`;
    },
  };
}

/** As {@link choice}, and true and false for two of the words. */
export function wordOrToggle<T extends string>(
  words: readonly T[],
  meaning: { readonly true: T; readonly false: T },
): OptionType<T> {
  const { parse, ...word } = choice(words);
  return {
    ...word,
    expected: `true, false, ${word.expected}`,
    schema: { enum: [true, false, ...words] },
    parse: (value) => (typeof value === "boolean" ? meaning[`${value}`] : parse(value)),
  };
}

export function listOf<T>(item: OptionType<T>): OptionType<readonly T[]> {
  return {
    expected: `a list, each item ${item.expected}`,
    schema: { type: "array", items: item.schema },
    parse: (value) => {
      if (!Array.isArray(value)) return undefined;
      const items = value.map((one: unknown) => item.parse(one));
      return items.every((one) => one !== undefined) ? items : undefined;
    },
  };
}

/** One string or several. */
export const textOrList: OptionType<readonly string[]> = {
  expected: "a string or a list of strings, none of them empty",
  schema: { anyOf: [text.schema, { type: "array", items: text.schema }] },
  parse: (value) => listOf(text).parse(Array.isArray(value) ? value : [value]),
};

/** Strings that may be empty: the words of a command. */
export const words: OptionType<readonly string[]> = {
  expected: "a list of strings",
  schema: { type: "array", items: { type: "string" } },
  parse: (value) =>
    Array.isArray(value) && value.every((word) => typeof word === "string") ? value : undefined,
};

/** An object of strings, by names that are not empty. */
export const textRecord: OptionType<Readonly<Record<string, string>>> = {
  expected: "an object with a string for each name",
  schema: { type: "object", additionalProperties: { type: "string" } },
  parse: (value) => {
    const entries = isObject(value) ? Object.entries(value) : [["", undefined] as const];
    const texts = entries.flatMap(([name, one]) =>
      name !== "" && typeof one === "string" ? [[name, one] as const] : [],
    );
    return texts.length === entries.length ? Object.fromEntries(texts) : undefined;
  },
};

/** A name and a pattern, neither of them empty. */
export const namedGlob: OptionType<{ readonly name: string; readonly glob: string }> = {
  expected: "an object with name and glob",
  schema: {
    type: "object",
    properties: { name: text.schema, glob: text.schema },
    required: ["name", "glob"],
    additionalProperties: false,
  },
  parse: (value) => {
    if (!isObject(value) || Object.keys(value).length !== 2) return undefined;
    const name = text.parse(value["name"]);
    const glob = text.parse(value["glob"]);
    return name !== undefined && glob !== undefined ? { name, glob } : undefined;
  },
};

/** Any value, null among them, as its JSON text. */
export const json: OptionType<string> = {
  expected: "a JSON value",
  schema: {},
  parse: (value) => {
    try {
      return JSON.stringify(value);
    } catch {
      return undefined; // a circle, or a BigInt
    }
  },
};

/** What only a program can pass: a function, a signal, process.env. `schema` never matches. */
export function instance<T>(expected: string, is: (value: unknown) => value is T): OptionType<T> {
  return { expected, schema: { not: {} }, parse: (value) => (is(value) ? value : undefined) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `a`, `a or b`, `a, b or c`. */
function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

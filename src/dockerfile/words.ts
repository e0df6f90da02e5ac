/** Finds the value of a variable; undefined where it is not set. */
export type Lookup = (name: string) => string | undefined;

/** What is wrong with a word; the caller knows the line. */
export class WordError extends Error {}

/**
 * Replaces variables in a word and removes its quotes, as Docker does for every instruction but RUN, CMD and ENTRYPOINT
 * (Dockerfile reference, "Environment replacement").
 * @throws WordError for a quote or a brace that is not closed, and for an operator that is not supported.
 */
export function expandWord(text: string, lookup: Lookup, escapeCharacter: string): string {
  return new Expander(text, lookup, escapeCharacter).word();
}

class Expander {
  readonly #text: string;
  readonly #lookup: Lookup;
  readonly #escape: string;
  #at = 0;

  constructor(text: string, lookup: Lookup, escapeCharacter: string) {
    this.#text = text;
    this.#lookup = lookup;
    this.#escape = escapeCharacter;
  }

  /** Reads up to `end`, a character that is not quoted, or to the end of the text. */
  word(end?: string): string {
    let value = "";
    for (let next = this.#peek(); next !== undefined && next !== end; next = this.#peek())
      value += this.#part(next);
    if (end !== undefined && this.#next() !== end) throw new WordError(`${this.#text} has no closing ${end}`);
    return value;
  }

  #part(next: string): string {
    if (next === "'") return this.#single();
    if (next === '"') return this.#double();
    if (next === "$") return this.#variable();
    if (next === this.#escape) this.#next();
    return this.#next() ?? "";
  }

  #single(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) throw new WordError(`${this.#text} has no closing '`);
    const value = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return value;
  }

  #double(): string {
    let value = "";
    this.#next();
    for (let next = this.#peek(); next !== '"'; next = this.#peek()) {
      if (next === undefined) throw new WordError(`${this.#text} has no closing "`);
      value += this.#insideDouble(next);
    }
    this.#next();
    return value;
  }

  /** Between double quotes the escape character is itself, unless it stands before one of three characters. */
  #insideDouble(next: string): string {
    if (next === "$") return this.#variable();
    this.#next();
    if (next !== this.#escape) return next;
    const escaped = this.#peek();
    if (escaped !== '"' && escaped !== "$" && escaped !== this.#escape) return next;
    return this.#next() ?? "";
  }

  #variable(): string {
    this.#next();
    if (this.#peek() === "{") return this.#braced();
    const [name = ""] = /^(?:[A-Za-z_]\w*|\d)/.exec(this.#text.slice(this.#at)) ?? [];
    this.#at += name.length;
    return name === "" ? "$" : (this.#lookup(name) ?? "");
  }

  #braced(): string {
    const [head = "", name = "", operator = ""] =
      /^\{([A-Za-z_]\w*|\d+)(:?[-+?]|\}|)/.exec(this.#text.slice(this.#at)) ?? [];
    if (name === "" || operator === "")
      throw new WordError(`${this.#text}: only \${NAME}, \${NAME:-x}, \${NAME:+x} and \${NAME:?x} are known`);
    this.#at += head.length;
    const value = this.#lookup(name);
    if (operator === "}") return value ?? "";
    const argument = this.word("}");
    if (operator.endsWith("?") && !isSet(operator, value))
      throw new WordError(`${name} is not set: ${argument}`);
    return substitute(operator, value, argument);
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #next(): string | undefined {
    return this.#text[this.#at++];
  }
}

/** `-` and `+` ask whether the variable is set, `:-` and `:+` whether it is set and not empty. */
function isSet(operator: string, value: string | undefined): boolean {
  return operator.startsWith(":") ? Boolean(value) : value !== undefined;
}

/** The value of `${NAME<operator>argument}`; the same in a shell. */
export function substitute(operator: string, value: string | undefined, argument: string): string {
  if (operator.endsWith("+")) return isSet(operator, value) ? argument : "";
  return isSet(operator, value) ? (value ?? "") : argument;
}

/** Splits at white space that is neither quoted nor escaped; quotes stay, for {@link expandWord} to remove. */
export function splitQuoted(text: string, escapeCharacter: string): readonly string[] {
  const character = escapeCharacter === "\\" ? "\\\\[^]" : "`[^]";
  const word = new RegExp(`(?:${character}|'[^']*'?|"(?:${character}|[^"])*"?|[^\\s'"])+`, "g");
  return text.match(word) ?? [];
}

/**
 * Reads `A=1 B="two words"` of ENV and LABEL, or the old form `A the rest of the line`.
 * @throws WordError where a word has no `=`.
 */
export function splitAssignments(
  text: string,
  escapeCharacter: string,
): readonly (readonly [name: string, value: string])[] {
  const words = splitQuoted(text, escapeCharacter);
  const [first = ""] = words;
  if (!first.includes("=")) {
    const rest = text.slice(first.length).trim();
    if (rest === "") throw new WordError(`${first} has no value`);
    return [[first, rest]];
  }
  return words.map((word) => {
    const at = word.indexOf("=");
    if (at < 1) throw new WordError(`${word} is not NAME=VALUE`);
    return [word.slice(0, at), word.slice(at + 1)];
  });
}

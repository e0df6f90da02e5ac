/** Returns the value of a variable; undefined if it is not set. */
export type Lookup = (name: string) => string | undefined;

/** An error in a word or command; the caller adds the line. */
export class WordError extends Error {
  readonly fix: string;

  constructor(message: string, fix = "write the line without it, or do it before lambda-pack build") {
    super(message);
    this.fix = fix;
  }
}

/**
 * Parses quoted text. Docker and a shell differ in variables and other special characters, which
 * the subclasses parse.
 */
abstract class Reader {
  protected readonly text: string;
  protected readonly lookup: Lookup;
  readonly #escape: string;
  /** Characters that can be escaped between double quotes. */
  readonly #escapable: string;
  protected at = 0;

  constructor(text: string, lookup: Lookup, escapeCharacter: string, escapable: string) {
    this.text = text;
    this.lookup = lookup;
    this.#escape = escapeCharacter;
    this.#escapable = escapable;
  }

  /** Parses a variable; the current character is its `$`. */
  protected abstract variable(isQuoted: boolean): string;

  protected refuseInDoubleQuotes(_next: string): void {}

  protected part(next: string): string {
    if (next === "'") return this.#single();
    if (next === '"') return this.#double();
    if (next === "$") return this.variable(false);
    this.at += 1;
    return next === this.#escape ? (this.text[this.at++] ?? "") : next;
  }

  protected rest(): string {
    return this.text.slice(this.at);
  }

  #single(): string {
    const end = this.text.indexOf("'", this.at + 1);
    if (end < 0) throw new WordError("a ' is not closed");
    const value = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    return value;
  }

  #double(): string {
    let value = "";
    this.at += 1;
    for (let next = this.text[this.at]; next !== '"'; next = this.text[this.at]) {
      if (next === undefined) throw new WordError('a " is not closed');
      this.refuseInDoubleQuotes(next);
      value += this.#insideDouble(next);
    }
    this.at += 1;
    return value;
  }

  #insideDouble(next: string): string {
    if (next === "$") return this.variable(true);
    this.at += 1;
    if (next !== this.#escape || !this.#escapable.includes(this.text[this.at] ?? " ")) return next;
    return this.text[this.at++] ?? "";
  }
}

/**
 * Replaces variables in a word and removes its quotes, as Docker does for every instruction except
 * RUN, CMD and ENTRYPOINT (Dockerfile reference, "Environment replacement").
 * @throws WordError for an unclosed quote or brace, and for an unsupported operator
 */
export function expandWord(text: string, lookup: Lookup, escapeCharacter: string): string {
  return new Expander(text, lookup, escapeCharacter, `"$${escapeCharacter}`).word();
}

class Expander extends Reader {
  /** Parses up to `end`, if that is not quoted, or up to the end of the text. */
  word(end?: string): string {
    let value = "";
    for (let next = this.text[this.at]; next !== undefined && next !== end; next = this.text[this.at])
      value += this.part(next);
    if (end !== undefined && this.text[this.at++] !== end)
      throw new WordError(`${this.text} has no closing ${end}`);
    return value;
  }

  protected variable(): string {
    this.at += 1;
    if (this.text[this.at] === "{") return this.#braced();
    const [name = ""] = /^(?:[A-Za-z_]\w*|\d)/.exec(this.rest()) ?? [];
    this.at += name.length;
    return name === "" ? "$" : (this.lookup(name) ?? "");
  }

  #braced(): string {
    const [head = "", name = "", operator = ""] =
      /^\{([A-Za-z_]\w*|\d+)(:?[-+?]|\}|)/.exec(this.rest()) ?? [];
    if (name === "" || operator === "")
      throw new WordError(`${this.text}: only \${NAME}, \${NAME:-x}, \${NAME:+x} and \${NAME:?x} are known`);
    this.at += head.length;
    const value = this.lookup(name);
    if (operator === "}") return value ?? "";
    const argument = this.word("}");
    if (operator.endsWith("?") && !isSet(operator, value))
      throw new WordError(`${name} is not set: ${argument}`);
    return substitute(operator, value, argument);
  }
}

/** Returns whether the variable is set and, for an operator with a colon, not empty. */
function isSet(operator: string, value: string | undefined): boolean {
  return operator.startsWith(":") ? Boolean(value) : value !== undefined;
}

/** Returns the value of `${NAME<operator>argument}`, which is the same in Docker and a shell. */
function substitute(operator: string, value: string | undefined, argument: string): string {
  if (operator.endsWith("+")) return isSet(operator, value) ? argument : "";
  return isSet(operator, value) ? (value ?? "") : argument;
}

/** A word of a command, with variables replaced and quotes removed. */
export interface Word {
  readonly text: string;
  /** true: it has an unquoted `*`, `?` or `[`, which a shell would match against file names. */
  readonly pattern: boolean;
}

/** One command of a RUN instruction. */
export interface Command {
  /** Variables set before the command, such as `NODE_ENV=production`. */
  readonly variables: ReadonlyMap<string, string>;
  /** The program and its arguments. */
  readonly words: readonly Word[];
}

/** Operators and brackets that need a shell, with their names for messages. */
const SHELL_ONLY: readonly (readonly [text: string, name: string])[] = [
  ["||", "||"],
  ["|", "a pipe (|)"],
  [";", "a semicolon (;)"],
  ["&", "a background command (&)"],
  [">", "a redirection (>)"],
  ["<", "a redirection (<)"],
  ["(", "a subshell"],
  [")", "a subshell"],
  ["`", "a command substitution"],
  ["#", "a comment"],
];

/**
 * Splits the shell form of RUN at `&&`, and each command into words, as POSIX sh would. Nothing is
 * run.
 * @throws WordError for anything except plain words, quoted words and variables
 */
export function splitCommands(text: string, lookup: Lookup): readonly Command[] {
  return new ShellReader(text, lookup, "\\", '"$\\`').commands();
}

/** Returns a command in exec form, whose words are literal. */
export function literalCommand(words: readonly string[]): Command {
  return { variables: new Map(), words: words.map((text) => ({ text, pattern: false })) };
}

class ShellReader extends Reader {
  commands(): readonly Command[] {
    const commands = [this.#command()];
    for (; this.rest().startsWith("&&"); commands.push(this.#command())) this.at += 2;
    this.#end();
    return commands;
  }

  #command(): Command {
    const variables = new Map<string, string>();
    const words: Word[] = [];
    for (this.#space(); this.#isWord(); this.#space()) {
      const assigned = words.length === 0 && /^([A-Za-z_]\w*)=/.exec(this.rest());
      if (assigned) {
        this.at += assigned[0].length;
        variables.set(assigned[1] ?? "", this.#word().text);
      } else words.push(this.#word());
    }
    if (words.length === 0) throw new WordError("a command is empty");
    return { variables, words };
  }

  #end(): void {
    const found = SHELL_ONLY.find(([text]) => this.rest().startsWith(text));
    if (!found) return;
    const quote = found[0] === ">" || found[0] === "<";
    throw new WordError(
      `${found[1]} needs a shell`,
      quote ? 'put quotes around a version such as "requests>=2", or run the command before' : undefined,
    );
  }

  #space(): void {
    while (/\s/.test(this.text[this.at] ?? "")) this.at += 1;
  }

  #isWord(): boolean {
    const next = this.text[this.at];
    return next !== undefined && !"&|;<>()`#".includes(next);
  }

  #word(): Word {
    let text = "";
    let pattern = false;
    for (let next = this.text[this.at]; next && !/[\s&|;<>()`]/.test(next); next = this.text[this.at]) {
      if ("*?[".includes(next)) pattern = true;
      text += this.part(next);
    }
    this.refuseInDoubleQuotes(this.text[this.at] ?? "");
    return { text, pattern };
  }

  protected override refuseInDoubleQuotes(next: string): void {
    if (next === "`") this.#end();
  }

  protected variable(isQuoted: boolean): string {
    const [all = "", plain, braced, operator, argument = ""] =
      /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-+])([^{}$"'`\\\s]*))?\})/.exec(this.rest()) ?? [];
    const name = plain ?? braced;
    if (name === undefined) throw new WordError("a $ that is not a plain variable needs a shell");
    this.at += all.length;
    const found = this.lookup(name);
    const value = operator === undefined ? (found ?? "") : substitute(operator, found, argument);
    if (isQuoted || !/[\s*?[\\]/.test(value)) return value;
    throw new WordError(
      `the value ${JSON.stringify(value)} would be split by a shell`,
      "put quotes around the variable",
    );
  }
}

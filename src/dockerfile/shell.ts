import { type Lookup, substitute } from "./words.ts";

/** What is wrong with a command line; the caller knows the line of the file. */
export class ShellError extends Error {
  readonly fix: string;

  constructor(message: string, fix = "write the command without it, or run it before lambda-pack build") {
    super(message);
    this.fix = fix;
  }
}

/** A word of a command after variables and quotes are gone. */
export interface Word {
  readonly text: string;
  /** true: it has an unquoted `*`, `?` or `[`, which a shell would compare with the files that are there. */
  readonly pattern: boolean;
}

/** One command of a RUN instruction. */
export interface Command {
  /** `NODE_ENV=production` before the command. */
  readonly variables: ReadonlyMap<string, string>;
  /** The program and its arguments. */
  readonly words: readonly Word[];
}

/** Operators and openings that only a shell can follow, by what a message calls them. */
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
 * Splits the shell form of RUN at `&&` and each command into words, as POSIX sh would, without running anything.
 * @throws ShellError for every construct that is not a plain word, a quoted word or a variable.
 */
export function splitCommands(text: string, lookup: Lookup): readonly Command[] {
  const reader = new Reader(text, lookup);
  const commands = [reader.command()];
  while (reader.skip("&&")) commands.push(reader.command());
  reader.end();
  return commands;
}

/** A command in exec form: its words are what they are. */
export function literalCommand(words: readonly string[]): Command {
  return { variables: new Map(), words: words.map((text) => ({ text, pattern: false })) };
}

class Reader {
  readonly #text: string;
  readonly #lookup: Lookup;
  #at = 0;

  constructor(text: string, lookup: Lookup) {
    this.#text = text;
    this.#lookup = lookup;
  }

  command(): Command {
    const variables = new Map<string, string>();
    const words: Word[] = [];
    for (this.#space(); this.#isWord(); this.#space()) {
      const assigned = words.length === 0 && /^([A-Za-z_]\w*)=/.exec(this.#rest());
      if (assigned) {
        this.#at += assigned[0].length;
        variables.set(assigned[1] ?? "", this.#word().text);
      } else words.push(this.#word());
    }
    if (words.length === 0) throw new ShellError("a command is empty");
    return { variables, words };
  }

  skip(text: string): boolean {
    if (!this.#rest().startsWith(text)) return false;
    this.#at += text.length;
    return true;
  }

  end(): void {
    const found = SHELL_ONLY.find(([text]) => this.#rest().startsWith(text));
    if (!found) return;
    const quote = found[0] === ">" || found[0] === "<";
    throw new ShellError(
      `${found[1]} needs a shell`,
      quote ? 'put quotes around a version such as "requests>=2", or run the command before' : undefined,
    );
  }

  #rest(): string {
    return this.#text.slice(this.#at);
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at += 1;
  }

  #isWord(): boolean {
    const next = this.#text[this.#at];
    return next !== undefined && !"&|;<>()`#".includes(next);
  }

  #word(): Word {
    let text = "";
    let pattern = false;
    for (let next = this.#text[this.#at]; next && !/[\s&|;<>()`]/.test(next); next = this.#text[this.#at]) {
      if ("*?[".includes(next)) pattern = true;
      text += this.#part(next);
    }
    if (this.#text[this.#at] === "`") this.end();
    return { text, pattern };
  }

  #part(next: string): string {
    if (next === "'") return this.#single();
    if (next === '"') return this.#double();
    if (next === "$") return unquoted(this.#variable());
    this.#at += 1;
    return next === "\\" ? (this.#text[this.#at++] ?? "") : next;
  }

  #single(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) throw new ShellError("a ' is not closed");
    const value = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return value;
  }

  #double(): string {
    let value = "";
    this.#at += 1;
    for (let next = this.#text[this.#at]; next !== '"'; next = this.#text[this.#at]) {
      if (next === undefined) throw new ShellError('a " is not closed');
      if (next === "`") this.end();
      value += this.#insideDouble(next);
    }
    this.#at += 1;
    return value;
  }

  #insideDouble(next: string): string {
    if (next === "$") return this.#variable();
    this.#at += 1;
    if (next !== "\\" || !'"$\\`'.includes(this.#text[this.#at] ?? " ")) return next;
    return this.#text[this.#at++] ?? "";
  }

  #variable(): string {
    const [all = "", plain, braced, operator, argument = ""] =
      /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-+])([^{}$"'`\\\s]*))?\})/.exec(this.#rest()) ?? [];
    const name = plain ?? braced;
    if (name === undefined) throw new ShellError("a $ that is not a plain variable needs a shell");
    this.#at += all.length;
    const value = this.#lookup(name);
    return operator === undefined ? (value ?? "") : substitute(operator, value, argument);
  }
}

/** A shell splits the value of a variable that stands without quotes, and compares it with file names. */
function unquoted(value: string): string {
  if (!/[\s*?[\\]/.test(value)) return value;
  throw new ShellError(
    `the value ${JSON.stringify(value)} would be split by a shell`,
    "put quotes around the variable",
  );
}

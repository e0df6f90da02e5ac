import { endOfLine, endOfQuote, matchEnd, Tokens } from "../tokens.ts";

const SPACE = /[\s\uFEFF]+/y;
const WORD = /[\p{L}\p{N}_$#]+/uy;
const OPERATOR =
  />>>=|\.\.\.|===|!==|\*\*=|<<=|>>=|>>>|&&=|\|\|=|\?\?=|=>|[=!<>+\-*/%&|^]=|\?\.|\?\?|&&|\|\||\+\+|--|\*\*|<<|>>/y;

/**
 * Splits JavaScript into tokens without comments. Regular expressions and the literal parts of
 * templates are tokens of the kind "other"; the code inside `${}` is split as well. The time is
 * linear in the source's length.
 */
export function nodeTokens(source: string): Tokens {
  return new NodeTokenizer(source).run();
}

class NodeTokenizer {
  readonly #source: string;
  readonly #tokens: Tokens;
  /** For each open bracket: what its end means for a slash or a template that follows. */
  readonly #brackets: ("template" | "expression" | "block")[] = [];
  /**
   * No slash before this offset begins a regular expression: a search for an end came as far as
   * here.
   */
  #noPatternBefore = 0;
  #startsLine = true;
  #at = 0;
  /** Whether the bracket that was closed last ended an expression. */
  #endedExpression = false;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = new Tokens(source);
    if (source.startsWith("#!")) this.#at = endOfLine(source, 0);
  }

  run(): Tokens {
    while (this.#at < this.#source.length) if (!this.#skip()) this.#take();
    return this.#tokens;
  }

  #skip(): boolean {
    const source = this.#source;
    const space = matchEnd(SPACE, source, this.#at);
    const from = this.#at;
    if (space !== undefined) this.#at = space;
    else if (source.startsWith("//", from)) this.#at = endOfLine(source, from);
    else if (source.startsWith("/*", from)) {
      const end = source.indexOf("*/", from + 2);
      this.#at = end < 0 ? source.length : end + 2;
    } else return false;
    this.#startsLine ||= source.slice(from, this.#at).includes("\n");
    return true;
  }

  #take(): void {
    const character = this.#source.charAt(this.#at);
    const wordEnd = matchEnd(WORD, this.#source, this.#at);
    if (wordEnd !== undefined) this.#add("word", wordEnd);
    else if (character === '"' || character === "'")
      this.#add("string", endOfQuote(this.#source, this.#at + 1, character, false));
    else if (character === "`") this.#takeTemplate(this.#at + 1);
    else if (character === "/" && this.#startsExpression()) this.#takePattern();
    else this.#takePunctuation(character);
  }

  #takePunctuation(character: string): void {
    if ("([{".includes(character)) this.#brackets.push(this.#kindOfBracket(character));
    if (")]}".includes(character)) {
      const kind = this.#brackets.pop();
      this.#endedExpression = kind !== "block";
      if (kind === "template" && character === "}") {
        this.#add("punctuation", this.#at + 1);
        this.#takeTemplate(this.#at);
        return;
      }
    }
    this.#add("punctuation", matchEnd(OPERATOR, this.#source, this.#at) ?? this.#at + 1);
  }

  /** Takes the literal part of a template, up to its end or to the next `${`. */
  #takeTemplate(from: number): void {
    const source = this.#source;
    let at = from;
    while (at < source.length && source[at] !== "`" && !source.startsWith("${", at))
      at += source[at] === "\\" ? 2 : 1;
    if (source[at] !== "$") {
      this.#add("other", Math.min(at + 1, source.length));
      return;
    }
    this.#add("other", at + 1);
    this.#brackets.push("template");
    this.#add("punctuation", at + 2);
  }

  #takePattern(): void {
    const source = this.#source;
    let isInClass = false;
    let at = this.#at + 1;
    for (; at < source.length && source[at] !== "\n"; at++) {
      const character = source[at];
      if (character === "\\") at += 1;
      else if (character === "[") isInClass = true;
      else if (character === "]") isInClass = false;
      else if (character === "/" && !isInClass) {
        this.#add("other", matchEnd(WORD, source, at + 1) ?? at + 1);
        return;
      }
    }
    this.#noPatternBefore = at;
    this.#add("punctuation", this.#at + 1);
  }

  #add(kind: "word" | "string" | "other" | "punctuation", end: number): void {
    this.#tokens.add(kind, this.#at, end, this.#startsLine);
    this.#startsLine = false;
    this.#at = end;
  }

  #startsExpression(): boolean {
    const last = this.#tokens.length - 1;
    const text = this.#tokens.text(last);
    if (this.#at < this.#noPatternBefore) return false;
    switch (this.#tokens.kind(last)) {
      case undefined:
        return true;
      case "word":
        return EXPRESSION_FOLLOWS.has(text) && this.#tokens.text(last - 1) !== ".";
      case "punctuation":
        return ")]}".includes(text) ? !this.#endedExpression : text !== "++" && text !== "--";
      default:
        return false;
    }
  }

  #kindOfBracket(character: string): "expression" | "block" {
    const last = this.#tokens.length - 1;
    const text = this.#tokens.text(last);
    if (character === "(") return CONDITIONS.has(text) ? "block" : "expression";
    if (character === "[") return "expression";
    const isObject = this.#tokens.kind(last) === "punctuation" ? !/^(?:[)}\];{]|=>)$/.test(text) : false;
    return isObject || /^(?:return|default|yield|await|case|in|of|typeof)$/.test(text)
      ? "expression"
      : "block";
  }
}

/** Keywords after which an expression begins. */
const EXPRESSION_FOLLOWS = new Set(
  "return typeof case in of do else void delete instanceof new throw yield await default extends".split(" "),
);
/** What follows the condition of these is a statement. */
const CONDITIONS = new Set(["if", "while", "for", "with"]);

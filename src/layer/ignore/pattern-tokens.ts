/** A part of a pattern; `code` and the ends of ranges are code points. */
export type Token =
  | { readonly kind: "literal"; readonly code: number }
  /** `?`: one code point, not a slash. */
  | { readonly kind: "any" }
  | { readonly kind: "class"; readonly negated: boolean; readonly ranges: readonly Range[] }
  /** `*`: any number of code points, no slash. */
  | { readonly kind: "star" }
  /** `**` before something: nothing, or anything that ends in a slash. */
  | { readonly kind: "directories" }
  /** `**` at the end: anything. */
  | { readonly kind: "rest" };

type Range = readonly [from: number, to: number];

/** Reads code points one by one. */
class Cursor {
  readonly #codes: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#codes = Array.from(text);
  }

  peek(): string | undefined {
    return this.#codes[this.#at];
  }

  next(): string | undefined {
    const code = this.peek();
    this.#at += 1;
    return code;
  }

  skip(text: string): boolean {
    if (this.peek() !== text) return false;
    this.#at += 1;
    return true;
  }
}

/**
 * Parses a pattern in the syntax of Go's filepath.Match, and `**`.
 * @throws Error saying what is wrong, where Go says "syntax error in pattern".
 */
export function parseTokens(text: string): readonly Token[] {
  const cursor = new Cursor(text);
  const tokens: Token[] = [];
  for (let code = cursor.next(); code !== undefined; code = cursor.next()) tokens.push(tokenOf(code, cursor));
  return tokens;
}

function tokenOf(code: string, cursor: Cursor): Token {
  if (code === "*") return cursor.skip("*") ? globstar(cursor) : { kind: "star" };
  if (code === "?") return { kind: "any" };
  if (code === "[") return classOf(cursor);
  return { kind: "literal", code: codePoint(code === "\\" ? escaped(cursor) : code) };
}

function globstar(cursor: Cursor): Token {
  cursor.skip("/");
  return { kind: cursor.peek() === undefined ? "rest" : "directories" };
}

function classOf(cursor: Cursor): Token {
  const negated = cursor.skip("^");
  const ranges: Range[] = [];
  do ranges.push(rangeOf(cursor));
  while (!cursor.skip("]"));
  return { kind: "class", negated, ranges };
}

function rangeOf(cursor: Cursor): Range {
  const from = member(cursor);
  const to = cursor.skip("-") ? member(cursor) : from;
  if (to < from) throw new Error("a range in [ ] runs backwards");
  return [from, to];
}

/** `-` and `]` stand for themselves only after a backslash (filepath.Match, getEsc). */
function member(cursor: Cursor): number {
  const code = cursor.next();
  if (code === undefined) throw new Error("a [ has no ]");
  if (code === "-" || code === "]") throw new Error(`a ${code} inside [ ] needs a backslash before it`);
  return codePoint(code === "\\" ? escaped(cursor) : code);
}

function escaped(cursor: Cursor): string {
  const code = cursor.next();
  if (code === undefined) throw new Error("a backslash at the end escapes nothing");
  return code;
}

function codePoint(code: string): number {
  return code.codePointAt(0) ?? 0;
}

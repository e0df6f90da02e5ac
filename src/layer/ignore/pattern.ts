import { matcherOf } from "./pattern-run.ts";

/** One pattern of an ignore file, compiled. */
export interface Pattern {
  /** Returns whether it names the path or one of its parents. */
  names(path: string): boolean;
  /** The beginning of every path that it names. */
  readonly start: string;
  /** Whether it names only `start` and paths below it. */
  readonly exact: boolean;
  /** A name, or its end such as `.pyc`, that every path it names has; undefined: there is none. */
  readonly anchor: string | undefined;
}

const SPECIAL = /[*?[\]\\]/;

/**
 * Compiles a cleaned pattern as moby/patternmatcher does (patternmatcher.go, compile), whose kinds
 * of match differ in ways that users see: `**foo` names every path that ends in foo, `dir**` every
 * path that begins with dir, but `**fo?` a whole name. Where its regular expressions show through
 * (`[a*]`, `\d`), Go's filepath.Match decides, as Docker documents.
 * @throws Error saying what is wrong with the pattern.
 */
export function compilePattern(text: string): Pattern {
  return { ...compile(text), anchor: anchorOf(text) };
}

type Compiled = Omit<Pattern, "anchor">;

function compile(text: string): Compiled {
  const tokens = parseTokens(text);
  if (!SPECIAL.test(text)) return exactPattern(text);
  if (text.startsWith("**") && !SPECIAL.test(text.slice(2))) return suffixPattern(text.slice(2));
  if (text.endsWith("**") && !SPECIAL.test(text.slice(0, -2))) return prefixPattern(text.slice(0, -2));
  return wildPattern(tokens);
}

function exactPattern(text: string): Compiled {
  const below = `${text}/`;
  return { names: (path) => path === text || path.startsWith(below), start: text, exact: true };
}

function prefixPattern(prefix: string): Compiled {
  return { names: (path) => path.startsWith(prefix), start: prefix, exact: false };
}

function suffixPattern(suffix: string): Compiled {
  const directory = `${suffix}/`;
  const ends = (path: string) => path.endsWith(suffix) || path.includes(directory);
  if (!suffix.startsWith("/")) return { names: ends, start: "", exact: false };
  const top = exactPattern(suffix.slice(1));
  return { names: (path) => ends(path) || top.names(path), start: "", exact: false };
}

function wildPattern(tokens: readonly Token[]): Compiled {
  const matches = matcherOf(tokens);
  const start = String.fromCodePoint(...literals(tokens));
  return { names: (path) => path.startsWith(start) && matches(path), start, exact: false };
}

/** Returns the literals before the first other token. */
function literals(tokens: readonly Token[]): readonly number[] {
  const wild = tokens.findIndex(({ kind }) => kind !== "literal");
  return tokens
    .slice(0, wild < 0 ? tokens.length : wild)
    .flatMap((token) => (token.kind === "literal" ? [token.code] : []));
}

/**
 * Returns the anchor of a pattern. Names after a `[`, which may contain a slash, do not count, and
 * neither does a name after `x**`, which may match the slash.
 */
function anchorOf(text: string): string | undefined {
  const names = text.split("/");
  const hidden = names.findIndex((name) => name.includes("["));
  const plain = names
    .slice(0, hidden < 0 ? names.length : hidden)
    .find((name, index) => !SPECIAL.test(name) && !/.\*\*$/s.test(names[index - 1] ?? ""));
  return plain ?? /\.[^./*?[\]\\]+$/.exec(text)?.[0];
}

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

/** `-` and `]` stand for themselves only after a backslash (filepath.Match, getEsc). */
const MEMBER = String.raw`(\\.|[^\\\]-])`;
const RANGE = new RegExp(`${MEMBER}(?:-${MEMBER})?`, "gsu");
const CLASS = String.raw`\[(?:(?<negated>\^)|(?!\^))(?<ranges>(?:${RANGE.source})+)\]`;
const TOKEN = new RegExp(String.raw`\*\*/?|[*?]|${CLASS}|\\.|[^\\[]`, "gsuy");

/**
 * Parses a pattern in the syntax of Go's filepath.Match, and `**`.
 * @throws Error saying what is wrong, where Go says "syntax error in pattern".
 */
function parseTokens(text: string): readonly Token[] {
  let end = 0;
  const tokens: Token[] = [];
  for (const match of text.matchAll(TOKEN)) {
    end += match[0].length;
    tokens.push(tokenOf(match, end === text.length));
  }
  if (end === text.length) return tokens;
  throw new Error(
    text[end] === "["
      ? "a [ has no ], or a - or ] inside [ ] has no backslash before it"
      : "a backslash at the end escapes nothing",
  );
}

function tokenOf({ 0: word, groups }: RegExpExecArray, isLast: boolean): Token {
  const { negated, ranges } = groups ?? {};
  if (ranges !== undefined)
    return { kind: "class", negated: negated !== undefined, ranges: rangesIn(ranges) };
  if (word.startsWith("**")) return { kind: isLast ? "rest" : "directories" };
  if (word === "*") return { kind: "star" };
  return word === "?" ? { kind: "any" } : { kind: "literal", code: codeOf(word) };
}

function rangesIn(text: string): readonly Range[] {
  return Array.from(text.matchAll(RANGE), ([, first = "", last = first]) => {
    const range = [codeOf(first), codeOf(last)] as const;
    if (range[1] < range[0]) throw new Error("a range in [ ] runs backwards");
    return range;
  });
}

/** Returns the code point of a character, which may have a backslash before it. */
function codeOf(word: string): number {
  return word.codePointAt(word.length > 1 && word.startsWith("\\") ? 1 : 0) ?? 0;
}

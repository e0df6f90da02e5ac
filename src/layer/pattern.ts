import { matcherOf } from "./pattern-run.ts";
import { parseTokens, type Token } from "./pattern-tokens.ts";

/** One pattern of an ignore file, compiled. */
export interface Pattern {
  /** Whether it names the path or one of its parents. */
  names(path: string): boolean;
  /** What every path that it names begins with. */
  readonly start: string;
  /** true: it names `start` and what is below, and nothing else. */
  readonly exact: boolean;
}

const SPECIAL = /[*?[\]\\]/;

/**
 * Compiles a cleaned pattern as moby/patternmatcher does (patternmatcher.go, compile), whose kinds of match differ in ways that users see:
 * `**foo` names whatever ends in foo, `dir**` whatever begins with dir, but `**fo?` a whole name.
 * Where its way through regular expressions leaks (`[a*]`, `\d`), Go's filepath.Match decides, as Docker documents.
 * @throws Error saying what is wrong with the pattern.
 */
export function compilePattern(text: string): Pattern {
  const tokens = parseTokens(text);
  if (!SPECIAL.test(text)) return exactPattern(text);
  if (text.startsWith("**") && !SPECIAL.test(text.slice(2))) return suffixPattern(text.slice(2));
  if (text.endsWith("**") && !SPECIAL.test(text.slice(0, -2))) return prefixPattern(text.slice(0, -2));
  return { names: matcherOf(tokens), start: literalStart(tokens), exact: false };
}

function exactPattern(text: string): Pattern {
  const below = `${text}/`;
  return { names: (path) => path === text || path.startsWith(below), start: text, exact: true };
}

function prefixPattern(prefix: string): Pattern {
  return { names: (path) => path.startsWith(prefix), start: prefix, exact: false };
}

function suffixPattern(suffix: string): Pattern {
  const folder = `${suffix}/`;
  const ends = (path: string) => path.endsWith(suffix) || path.includes(folder);
  if (!suffix.startsWith("/")) return { names: ends, start: "", exact: false };
  const top = exactPattern(suffix.slice(1));
  return { names: (path) => ends(path) || top.names(path), start: "", exact: false };
}

function literalStart(tokens: readonly Token[]): string {
  const wild = tokens.findIndex(({ kind }) => kind !== "literal");
  return tokens
    .slice(0, wild < 0 ? tokens.length : wild)
    .map((token) => (token.kind === "literal" ? String.fromCodePoint(token.code) : ""))
    .join("");
}

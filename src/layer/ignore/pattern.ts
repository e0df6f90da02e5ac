import { matcherOf } from "./pattern-run.ts";
import { parseTokens, type Token } from "./pattern-tokens.ts";

/** One pattern of an ignore file, compiled. */
export interface Pattern {
  /** Returns whether it names the path or one of its parents. */
  names(path: string): boolean;
  /** The beginning of every path that it names. */
  readonly start: string;
  /** Whether it names only `start` and paths below it. */
  readonly exact: boolean;
  /**
   * A name, or the end of a name such as `.pyc`, that is in every path that it names; undefined if
   * there is none.
   */
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

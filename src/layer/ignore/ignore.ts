import { posix } from "node:path";
import { LambdaPackError } from "../../errors.ts";
import { compilePattern, type Pattern } from "./pattern.ts";
import { indexRules } from "./rule-index.ts";

/** A cleaned pattern and where it is written. */
export interface IgnoreLine {
  readonly pattern: string;
  /** `.dockerignore line 3`, `--exclude`. */
  readonly where: string;
}

/** The number of the last rule that names a path or one of its parents: the one that decides. */
export type Verdict = number;

/** No rule names it. */
export const UNNAMED: Verdict = -1;

/**
 * An ignore file's rules (moby/patternmatcher, MatchesOrParentMatches: the last that names the path
 * or a parent wins).
 */
export interface IgnoreRules {
  /**
   * Returns the verdict on a path. If the verdict on its directory is given, checks only later
   * rules.
   */
  judge(path: string, parent?: Verdict): Verdict;
  ignores(verdict: Verdict): boolean;
  /** Returns whether a rule with `!` may include something below a directory with this verdict. */
  mayIncludeBelow(directory: string, verdict: Verdict): boolean;
  /** Returns the line that made the verdict; undefined if no rule names the path. */
  lineOf(verdict: Verdict): IgnoreLine | undefined;
}

interface Rule extends Pattern {
  readonly exception: boolean;
}

/**
 * Reads the lines of an ignore file (moby/patternmatcher, ignorefile.ReadAll): a byte order mark,
 * CRLF and spaces around a pattern are ignored; `#` begins a comment only in the first column.
 */
export function parseIgnoreFile(text: string, name: string): readonly IgnoreLine[] {
  return text
    .replace(/^\ufeff/, "")
    .split("\n")
    .map((line, index) => ({ line, where: `${name} line ${index + 1}` }))
    .filter(({ line }) => !line.startsWith("#") && line.trim() !== "")
    .map(({ line, where }) => ({ pattern: cleanPattern(line), where }));
}

/**
 * Normalizes a pattern as Go's filepath.Clean does, relative to the directory and without
 * surrounding spaces; a `!` stays in front.
 */
export function cleanPattern(line: string): string {
  const text = line.trim();
  if (text.startsWith("!")) return `!${cleanPattern(text.slice(1))}`;
  if (text === "") return "";
  const clean = posix.normalize(text).replace(/(?<=.)\/$/s, "");
  return clean.length > 1 && clean.startsWith("/") ? clean.slice(1) : clean;
}

/** Compiles lines. @throws IGNORE_PATTERN naming the line of an invalid pattern. */
export function compileIgnore(lines: readonly IgnoreLine[]): IgnoreRules {
  const rules = lines.map(compileRule);
  const index = indexRules(rules);
  const exceptions = rules.flatMap((rule, number) => (rule.exception ? [{ rule, number }] : []));
  return {
    judge: (path, parent) => (parent === undefined ? index.last(path) : index.lastBelow(path, parent)),
    lineOf: (verdict) => lines[verdict],
    ignores: (verdict) => rules[verdict]?.exception === false,
    mayIncludeBelow: (directory, verdict) =>
      exceptions.some(({ rule, number }) => number > verdict && mayNameBelow(rule, directory)),
  };
}

function mayNameBelow({ start, exact }: Pattern, directory: string): boolean {
  const below = `${directory}/`;
  return start.startsWith(below) || (!exact && below.startsWith(start));
}

function compileRule({ pattern, where }: IgnoreLine): Rule {
  const exception = pattern.startsWith("!");
  const path = exception ? pattern.slice(1) : pattern;
  if (path === "") throw badPattern(pattern, where, exception ? "nothing follows the !" : "it is empty");
  try {
    return { ...compilePattern(path), exception };
  } catch (error) {
    throw badPattern(pattern, where, error instanceof Error ? error.message : String(error));
  }
}

function badPattern(pattern: string, where: string, what: string): LambdaPackError {
  return new LambdaPackError(
    "IGNORE_PATTERN",
    `${where}: ${JSON.stringify(pattern.slice(0, 200))}: ${what}`,
    {
      hint: "the syntax is that of .dockerignore: * ? ** [a-z], a backslash before what is meant literally, ! before an exception",
    },
  );
}

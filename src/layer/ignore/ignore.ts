import { posix } from "node:path";
import { LambdaPackError } from "../../errors.ts";
import { compilePattern, type Pattern } from "./pattern.ts";
import { indexRules } from "./rule-index.ts";

/** A pattern, cleaned, and where it is written. */
export interface IgnoreLine {
  readonly pattern: string;
  /** `.dockerignore line 3`, `--exclude`. */
  readonly where: string;
}

/** The number of the last rule that names a path or one of its parents: the one that decides. */
export type Verdict = number;

/** No rule names it. */
export const UNNAMED: Verdict = -1;

/** An ignore file's rules (moby/patternmatcher, MatchesOrParentMatches: the last that names the path or a parent wins). */
export interface IgnoreRules {
  /** Give the parent's verdict where it is known: only later rules are looked at. */
  judge(path: string, parent?: Verdict): Verdict;
  ignores(verdict: Verdict): boolean;
  /** Whether a rule with `!` may bring back something below a folder with this verdict. */
  mayBringBack(folder: string, verdict: Verdict): boolean;
}

interface Rule extends Pattern {
  readonly exception: boolean;
}

/**
 * The lines of an ignore file (moby/patternmatcher, ignorefile.ReadAll): a byte order mark and CRLF are no matter,
 * `#` only counts in the first column, spaces around do not.
 */
export function parseIgnoreFile(text: string, name: string): readonly IgnoreLine[] {
  return text
    .replace(/^\ufeff/, "")
    .split("\n")
    .map((line, index) => ({ line, where: `${name} line ${index + 1}` }))
    .filter(({ line }) => !line.startsWith("#") && line.trim() !== "")
    .map(({ line, where }) => ({ pattern: cleanPattern(line), where }));
}

/** Without spaces around, as Go's filepath.Clean would write it, relative to the folder; a `!` stays in front. */
export function cleanPattern(line: string): string {
  const text = line.trim();
  if (text.startsWith("!")) return `!${cleanPattern(text.slice(1))}`;
  if (text === "") return "";
  const clean = posix.normalize(text).replace(/(?<=.)\/$/s, "");
  return clean.length > 1 && clean.startsWith("/") ? clean.slice(1) : clean;
}

/** @throws IGNORE_PATTERN naming the place of a pattern that means nothing. */
export function compileIgnore(lines: readonly IgnoreLine[]): IgnoreRules {
  const rules = lines.map(compileRule);
  const index = indexRules(rules);
  const exceptions = rules.flatMap((rule, number) => (rule.exception ? [{ rule, number }] : []));
  return {
    judge: (path, parent = UNNAMED) => index.last(path, parent),
    ignores: (verdict) => rules[verdict]?.exception === false,
    mayBringBack: (folder, verdict) =>
      exceptions.some(({ rule, number }) => number > verdict && mayNameBelow(rule, folder)),
  };
}

function mayNameBelow({ start, exact }: Pattern, folder: string): boolean {
  const below = `${folder}/`;
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

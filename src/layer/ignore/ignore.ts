import { isUtf8 } from "node:buffer";
import { lstatSync, readlinkSync } from "node:fs";
import { basename, join, posix, resolve } from "node:path";
import { readConfigurationFile } from "../../blobs/regular-file.ts";
import { LambdaPackError, messageOf } from "../../errors.ts";
import { toPosixPath } from "../../oci/explicit-registry.ts";
import { IGNORE_FILES } from "./never.ts";
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

/** An ignore file's rules: the last that names the path or a parent wins (moby/patternmatcher). */
export interface IgnoreRules {
  /** Returns the verdict on a path. Checks only later rules than its directory's, if given. */
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

/** Compiles lines. @throws IGNORE_PATTERN naming the line of an invalid pattern, USAGE for one of a flag. */
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
  if (path.includes("\0")) throw badPattern(pattern, where, "it has a NUL byte, which no path has");
  try {
    return { ...compilePattern(path), exception };
  } catch (error) {
    throw badPattern(pattern, where, messageOf(error));
  }
}

function badPattern(pattern: string, where: string, what: string): LambdaPackError {
  return new LambdaPackError(
    where.startsWith("--") ? "USAGE" : "IGNORE_PATTERN",
    `${where}: ${JSON.stringify(pattern.slice(0, 200))}: ${what}`,
    {
      hint: "the syntax is that of .dockerignore: * ? ** [a-z], a backslash before what is meant literally, ! before an exception",
    },
  );
}

/** The lines of an ignore file. */
interface IgnoreFile {
  /** Absolute; undefined if there is no ignore file. */
  readonly path?: string;
  readonly lines: readonly IgnoreLine[];
}

/**
 * Reads the named file, which must exist; else the first of `.lambdaignore`, `.containerignore` and
 * `.dockerignore` in the source directory.
 * @throws FILE_UNREADABLE, also for a file that is not UTF-8 text.
 */
export function readIgnoreFile(root: string, named: string | undefined): IgnoreFile {
  const candidates = named === undefined ? IGNORE_FILES.map((name) => join(root, name)) : [resolve(named)];
  for (const path of candidates) {
    const text = read(path, named);
    if (text !== undefined) return { path, lines: parseIgnoreFile(text, named ?? basename(path)) };
  }
  return { lines: [] };
}

/** In bytes; no file that a person wrote is longer. */
const MAX_BYTES = 4 * 1024 * 1024;

function read(path: string, named: string | undefined): string | undefined {
  const hint = "make it a readable regular file, or name another one with --ignore-file";
  const bytes = readConfigurationFile(path, { maxBytes: MAX_BYTES, code: "FILE_UNREADABLE", hint });
  if (bytes !== undefined && !isText(bytes))
    throw new LambdaPackError("FILE_UNREADABLE", `${path} is not UTF-8 text`, {
      hint: `save it as UTF-8, for example: iconv -f UTF-16 -t UTF-8 ${path} > ${path}.new`,
    });
  if (bytes === undefined && lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink())
    throw new LambdaPackError(
      "FILE_UNREADABLE",
      `${path} is a link to ${readlinkSync(path)}, which does not exist`,
      {
        hint: `correct the link, or remove it: rm ${path}`,
      },
    );
  if (bytes !== undefined || named === undefined) return bytes?.toString("utf8");
  const slashed = toPosixPath(named);
  throw new LambdaPackError("FILE_UNREADABLE", `cannot read ${path}: there is no such file`, {
    hint: slashed === undefined ? "correct the path after --ignore-file" : `write ${slashed}`,
  });
}

/** Excludes UTF-16, which Windows PowerShell writes by default: one of its first two bytes is no UTF-8, or 0. */
function isText(bytes: Uint8Array): boolean {
  return isUtf8(bytes) && !bytes.subarray(0, 2).includes(0);
}

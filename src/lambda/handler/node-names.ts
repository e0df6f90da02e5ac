import type { Defined } from "./app-files.ts";

/**
 * Comments, strings, templates, and regular expressions where one can stand (of a bounded length: a slash that begins none must cost little). A template inside a template's `${}` ends it early: what is then read
 * as code is harmless.
 */
const SILENT =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"[^"\\\n]*(?:\\[\s\S][^"\\\n]*)*"|'[^'\\\n]*(?:\\[\s\S][^'\\\n]*)*'|`[^`\\]*(?:\\[\s\S][^`\\]*)*`|(?<=(?:^|[(,=:[!&|?{};+\n]|\breturn)[ \t]*)\/(?![*/])[^/\\[\n]{0,300}(?:(?:\\.|\[[^\]\\\n]{0,99}(?:\\.[^\]\\\n]{0,99}){0,50}\])[^/\\[\n]{0,300}){0,50}\/[a-z]*/g;
const IDENTIFIER = "[\\p{L}_$][\\p{L}\\p{N}_$]*";

/**
 * The names that a Node module exports, ESM or CommonJS, told from its text: nothing runs. `open` wherever the text leaves it to run time:
 * `export *`, `module.exports = make()`, `exports[name] = ...`, `exports` handed to a function.
 */
export function nodeNames(source: string): Defined {
  const code = source.replace(SILENT, silence);
  const esm = esmNames(code);
  const commonJs = commonJsNames(code);
  return { names: new Set([...esm.names, ...commonJs.names]), open: esm.open || commonJs.open };
}

/** A string that is an identifier may be an exported name; all others say nothing. */
function silence(found: string): string {
  if (found.startsWith("/")) return " ";
  return /^["'][\p{L}_$][\p{L}\p{N}_$]*["']$/u.test(found) ? `"${found.slice(1, -1)}"` : '""';
}

function esmNames(code: string): Defined {
  const names = new Set<string>();
  for (const [, name = ""] of matches(
    code,
    `\\bexport\\s+(?:async\\s+)?(?:function\\b\\s*\\*?|class\\b)\\s*(${IDENTIFIER})`,
  ))
    names.add(name);
  for (const [, name = ""] of matches(code, `\\bexport\\s+(?:const|let|var)\\s+(${IDENTIFIER})`))
    names.add(name);
  for (const [, name = ""] of matches(code, `\\bexport\\s*\\*\\s*as\\s+"?(${IDENTIFIER})`)) names.add(name);
  for (const [, list = ""] of matches(code, "\\bexport\\s*\\{([^}]*)\\}"))
    for (const name of list.split(",")) names.add(exportedAs(name));
  // What `export const { a, b } = ...` and `export const a = 1, b = 2` give is not worth a parser.
  const open = /\bexport\s*\*\s*from\b|\bexport\s+(?:const|let|var)\s*(?:[[{]|[^\n;({[]*,)/.test(code);
  return { names, open };
}

/** `a`, `a as b`, `a as "b"`. */
function exportedAs(specifier: string): string {
  const name =
    specifier
      .trim()
      .split(/\s+as\s+/)
      .at(-1) ?? "";
  return name.replaceAll('"', "");
}

/** Uses of `exports` that say all they do; any other use leaves the module open. */
const MEMBER = new RegExp(
  `^\\s*(?:\\.\\s*(${IDENTIFIER})|\\[\\s*"(${IDENTIFIER})"\\s*\\])(\\s*=(?![=>]))?`,
  "u",
);
const PROPERTY = new RegExp(`^\\s*,\\s*"(${IDENTIFIER})"`, "u");
/** Longer than any list of exports; an object literal that does not end within it leaves the module open. */
const REACH = 64 * 1024;

function commonJsNames(code: string): Defined {
  const names = new Set<string>();
  let open = false;
  for (const { index } of matches(code, `(?<![\\p{L}\\p{N}_$"])exports(?![\\p{L}\\p{N}_$"])`)) {
    const use = useOf(code, index);
    for (const name of use.names) names.add(name);
    open ||= use.open;
  }
  return { names, open };
}

function useOf(code: string, index: number): Defined {
  const after = code.slice(index + "exports".length, index + REACH);
  const before = code.slice(Math.max(0, index - 40), index);
  const [member, dotted, quoted, assigned] = MEMBER.exec(after) ?? [];
  if (member !== undefined) return closed(assigned === undefined ? [] : [dotted ?? quoted ?? ""]);
  const [, property] = PROPERTY.exec(after) ?? [];
  if (property !== undefined && /defineProperty\(\s*(?:module\s*\.\s*)?$/.test(before))
    return closed([property]);
  const [assignment] = /^\s*=(?![=>])\s*/.exec(after) ?? [];
  return assignment === undefined ? OPEN : whatIsExported(after.slice(assignment.length));
}

/** What `module.exports =` is given. */
function whatIsExported(value: string): Defined {
  if (value.startsWith("{")) return literalOf(value);
  // A function has no handler in it; what is added to it later is a use of its own.
  if (/^(?:async\b\s*)?(?:function\b|\([^()]*\)\s*=>)/.test(value)) return closed([]);
  // In `exports = module.exports = {}` the second one tells.
  return /^(?:module\s*\.\s*)?exports\s*=/.test(value) ? closed([]) : OPEN;
}

/** The keys of an object literal, at its first level. */
function literalOf(text: string): Defined {
  const parts = firstLevel(text)?.split(",");
  if (parts === undefined) return OPEN;
  const keys = parts.filter((part) => part.trim() !== "").map((part) => KEY.exec(part.trim())?.[1]);
  const names = keys.filter((key) => key !== undefined);
  return { names: new Set(names), open: names.length < keys.length };
}

/** `a`, `"a": 1`, `async a #`, where # stands for brackets and what is in them. */
const KEY = new RegExp(`^(?:(?:async|get)\\s+|\\*\\s*)*"?(${IDENTIFIER})"?\\s*(?:[#:]|$)`, "u");

/** What is inside the brackets that `text` begins with, a # for each pair of brackets in it. undefined: they do not end. */
function firstLevel(text: string): string | undefined {
  let depth = 0;
  let from = 0;
  let inside = "";
  for (const { 0: bracket, index } of text.matchAll(/[()[\]{}]/g)) {
    const opens = "([{".includes(bracket);
    if (depth === 1) inside += text.slice(from, index) + (opens ? "#" : "");
    depth += opens ? 1 : -1;
    if (depth === 0) return inside;
    if (depth === 1) from = index + 1;
  }
  return undefined;
}

const OPEN: Defined = { names: new Set(), open: true };

function closed(names: readonly string[]): Defined {
  return { names: new Set(names), open: false };
}

function matches(code: string, pattern: string): Iterable<RegExpExecArray> {
  return code.matchAll(new RegExp(pattern, "gu"));
}

import type { Defined } from "./app-files.ts";

/** Comments and strings, the longest quotes first; an f-string's prefix letters stay behind as a name, which does no harm. */
const SILENT =
  /#[^\n]*|"""[^\\]*?(?:\\[\s\S][^\\]*?)*?"""|'''[^\\]*?(?:\\[\s\S][^\\]*?)*?'''|"[^"\\\n]*(?:\\[\s\S][^"\\\n]*)*"|'[^'\\\n]*(?:\\[\s\S][^'\\\n]*)*'/g;
const NAME = /[\p{L}_][\p{L}\p{N}_]*/gu;
/** A block whose names stay its own. Those of `if`, `try`, `with` and loops are the module's. */
const OWN_SCOPE = /^(?:async\s+def|def|class)\b/;

/**
 * The names that a Python module has once imported: def, class, assignment and import at its top level or in an if, try, with or loop there.
 * A light reading of the text: nothing runs. `open` for `from x import *`, `globals()` and a module's `__getattr__`.
 */
export function pythonNames(source: string): Defined {
  const names = new Set<string>();
  let open = false;
  /** Indentation of the def or class that hides what is below it. */
  let hidden = Number.POSITIVE_INFINITY;
  for (const { indent, text } of logicalLines(source)) {
    if (indent > hidden) continue;
    hidden = OWN_SCOPE.test(text) ? indent : Number.POSITIVE_INFINITY;
    for (const statement of statementsOf(text)) {
      for (const name of namesOf(statement)) names.add(name);
      open ||= /^from\s.*\bimport\s*\*|\bglobals\s*\(|^def\s+__getattr__\b/.test(statement);
    }
  }
  return { names, open };
}

interface LogicalLine {
  /** Columns; a tab goes to the next multiple of eight, as in Python. */
  readonly indent: number;
  readonly text: string;
}

/** Lines as Python sees them: joined inside brackets and after a backslash, without comments and strings. */
function* logicalLines(source: string): Iterable<LogicalLine> {
  const code = source
    .replace(SILENT, (found) => (found.startsWith("#") ? "" : '""'))
    .replace(/\\\r?\n/g, " ");
  let joined = "";
  let brackets = 0;
  for (const line of code.split(/\r?\n/)) {
    joined += joined === "" ? line : ` ${line.trim()}`;
    brackets += count(line, /[([{]/g) - count(line, /[)\]}]/g);
    if (brackets > 0) continue;
    const text = joined.trim();
    if (text !== "") yield { indent: indentOf(joined), text };
    joined = "";
    brackets = 0;
  }
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

function indentOf(line: string): number {
  let column = 0;
  for (const character of line) {
    if (character === " ") column += 1;
    else if (character === "\t") column += 8 - (column % 8);
    else break;
  }
  return column;
}

/** `if x: a = 1; b = 2` has two of them behind its colon. */
function statementsOf(text: string): readonly string[] {
  if (OWN_SCOPE.test(text)) return [text];
  const [, header, body] = BLOCK.exec(text) ?? [];
  return [...(header === undefined ? [] : [`${header}:`]), ...(body ?? text).split(";")].map((part) =>
    part.trim(),
  );
}

const BLOCK = /^((?:if|elif|else|try|except|finally|with|for|while|match|case|async)\b[^:]*):(?!=)(.*)$/;

function namesOf(statement: string): readonly string[] {
  const [, defined] = /^(?:async\s+def|def|class)\s+([\p{L}_][\p{L}\p{N}_]*)/u.exec(statement) ?? [];
  if (defined) return [defined];
  const [, imported] = /^(?:from\s.+?\s)?import\b\s*(.+)$/.exec(statement) ?? [];
  if (imported) return imported.replace(/[()]/g, "").split(",").flatMap(nameOfImport);
  // What `for handler in` and `with x as handler:` bind is among their names; that the others are too does no harm.
  if (/^(?:async|for|with)\b/.test(statement)) return statement.match(NAME) ?? [];
  return statement.endsWith(":") ? [] : namesOfAssignment(statement);
}

/** `a`, `a.b` (binds a) or `a as b`. */
function nameOfImport(part: string): readonly string[] {
  const [path = "", alias] = part.trim().split(/\s+as\s+/);
  const name = alias ?? path.split(".")[0] ?? "";
  return name === "" || name === "*" ? [] : [name];
}

/** `a = b = ...`, `a, b = ...`, `a: T = ...`; not `a.b = ...`, `a[0] = ...`, `f(a=1)` or `a == b`. */
function namesOfAssignment(statement: string): readonly string[] {
  const targets = statement.split(/(?<![=!<>+\-*/%&|^@:])=(?!=)/).slice(0, -1);
  return targets
    .map((target) => target.split(":")[0] ?? "")
    .filter((target) => /^[\p{L}\p{N}_\s,*()[\]]*$/u.test(target) && !/[\p{L}\p{N}_]\s*[([]/u.test(target))
    .flatMap((target) => target.match(NAME) ?? []);
}

import type { ModuleNames } from "../app-files.ts";
import { afterToken, type Tokens } from "../tokens.ts";
import { pythonTokens } from "./tokens.ts";

/** A range of tokens: the end is exclusive. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** What the runtime's call `name(event, context)` needs to know of a `def`. */
export interface Signature {
  /** The number of parameters that a call without keywords has to give, and may give. */
  readonly required: number;
  readonly most: number;
  /** Whether a parameter can be given only by its name, and has to be. */
  readonly needsKeyword: boolean;
  readonly isAsync: boolean;
  /** Whether nothing else may take its place: no decorator, and not in an `if` or `try`. */
  readonly isCertain: boolean;
}

export interface PythonModule extends ModuleNames {
  /** By name, for functions that the last statement about the name defines. */
  readonly signatures: ReadonlyMap<string, Signature>;
}

interface Found {
  readonly names: Set<string>;
  readonly functions: Set<string>;
  readonly signatures: Map<string, Signature>;
  readonly uncertain: Set<string>;
  open: boolean;
}

/**
 * Finds the names that a Python module has once it is imported, without running it: `def`, `class`,
 * assignments and imports at its top level, also inside an `if`, `try`, `with` or loop there.
 * `open` is true with `from x import *`, `globals()`, `exec()` or a `__getattr__` of the module.
 * The time is linear in the source's length.
 */
export function pythonNames(source: string): PythonModule {
  const tokens = pythonTokens(source);
  const found: Found = {
    names: new Set(),
    functions: new Set(),
    signatures: new Map(),
    uncertain: new Set(),
    open: !tokens.isBalanced,
  };
  /** The indentation of the def or class whose body is skipped. */
  let hidden = Number.POSITIVE_INFINITY;
  let followsDecorator = false;
  for (const line of logicalLines(tokens)) {
    const indent = indentOf(source, tokens.start(line.from));
    if (indent > hidden) continue;
    hidden = definesScope(tokens, line) ? indent : Number.POSITIVE_INFINITY;
    const isDecorated = tokens.text(line.from) === "@";
    readLine(tokens, line, indent === 0 && !followsDecorator, found);
    followsDecorator = isDecorated;
  }
  return found;
}

function* logicalLines(tokens: Tokens): Generator<Span> {
  let from = 0;
  for (let index = 1; index <= tokens.length; index++) {
    if (index < tokens.length && !tokens.startsLine(index)) continue;
    yield { from, to: index };
    from = index;
  }
}

/** Returns the indentation in columns; a tab ends at the next multiple of eight, as in Python. */
function indentOf(source: string, at: number): number {
  const lineStart = source.lastIndexOf("\n", at - 1) + 1;
  let column = 0;
  for (let index = lineStart; index < at; index++)
    column = source[index] === "\t" ? column + 8 - (column % 8) : column + 1;
  return column;
}

/** Returns whether the line begins a def or a class, whose names are not the module's. */
function definesScope(tokens: Tokens, { from }: Span): boolean {
  const first = tokens.text(from);
  return first === "def" || first === "class" || (first === "async" && tokens.text(from + 1) === "def");
}

const BLOCKS = new Set(["if", "elif", "else", "try", "except", "finally", "with", "for", "while", "async"]);
/** Words that are also ordinary names: `match = re.match(...)`. */
const SOFT_BLOCKS = new Set(["match", "case"]);
const BINDING_BLOCKS = new Set(["for", "with", "async"]);

function readLine(tokens: Tokens, line: Span, isCertain: boolean, found: Found): void {
  if (definesScope(tokens, line)) {
    readDefinition(tokens, line.from, isCertain, found);
    return;
  }
  const colon = isBlock(tokens, line) ? findAtDepth(tokens, line, ":") : undefined;
  if (colon !== undefined && BINDING_BLOCKS.has(tokens.text(line.from)))
    for (const name of wordsIn(tokens, { from: line.from + 1, to: colon })) found.names.add(name);
  if (colon !== undefined) readDynamic(tokens, { from: line.from, to: colon }, found);
  let from = colon === undefined ? line.from : colon + 1;
  while (from < line.to) {
    const to = findAtDepth(tokens, { from, to: line.to }, ";") ?? line.to;
    readStatement(tokens, { from, to }, found);
    from = to + 1;
  }
}

function isBlock(tokens: Tokens, { from }: Span): boolean {
  const first = tokens.text(from);
  return BLOCKS.has(first) || (SOFT_BLOCKS.has(first) && !/^[=:.,]$/.test(tokens.text(from + 1)));
}

function readDefinition(tokens: Tokens, from: number, isCertain: boolean, found: Found): void {
  const isAsync = tokens.text(from) === "async";
  const at = from + (isAsync ? 2 : 1);
  const name = tokens.text(at);
  const isClass = tokens.text(from) === "class";
  bind(name, isClass, found);
  if (name === "__getattr__") found.open = true;
  if (isClass) return;
  found.functions.add(name);
  const signature = signatureAt(tokens, at + 1);
  if (signature) found.signatures.set(name, { ...signature, isAsync, isCertain });
}

/** Reads `[T](event, /, context=None, *, x, **more)`. Returns undefined if there is a lambda in it. */
function signatureAt(tokens: Tokens, at: number): Omit<Signature, "isAsync" | "isCertain"> | undefined {
  const bracket = tokens.text(at) === "[" ? afterToken(tokens, at) : at;
  const end = tokens.closing(bracket);
  if (end === undefined || wordsIn(tokens, { from: bracket, to: end }).includes("lambda")) return undefined;
  const parts = [...partsOf(tokens, { from: bracket + 1, to: end })];
  const star = parts.findIndex(({ from }) => tokens.text(from) === "*");
  const isNamed = ({ from }: Span) => tokens.kind(from) === "word"; // not a slash, or the end after a comma
  const isRequired = (span: Span) => isNamed(span) && findAtDepth(tokens, span, "=") === undefined;
  const byPlace = star < 0 ? parts : parts.slice(0, star);
  const takesMore = star >= 0 && tokens.kind((parts[star]?.from ?? 0) + 1) === "word";
  return {
    required: byPlace.filter(isRequired).length,
    most: takesMore ? Number.POSITIVE_INFINITY : byPlace.filter(isNamed).length,
    needsKeyword: star >= 0 && parts.slice(star + 1).some(isRequired),
  };
}

function readStatement(tokens: Tokens, span: Span, found: Found): void {
  const first = tokens.text(span.from);
  readDynamic(tokens, span, found);
  if (first === "import") readImported(tokens, { from: span.from + 1, to: span.to }, found);
  else if (first === "from") readFromImport(tokens, span, found);
  else for (const name of assignedNames(tokens, span)) bind(name, false, found);
}

/** The last statement that binds a name decides what it is. */
function bind(name: string, isUncertain: boolean, { names, uncertain, signatures }: Found): void {
  names.add(name);
  signatures.delete(name);
  if (isUncertain) uncertain.add(name);
  else uncertain.delete(name);
}

const DYNAMIC = new Set(["globals", "vars", "locals", "exec"]);

/** `(x := 1)` binds a name of the module; `globals()` may bind any. */
function readDynamic(tokens: Tokens, { from, to }: Span, found: Found): void {
  for (let index = from; index < to; index++) {
    if (tokens.kind(index) !== "word") continue;
    const next = tokens.text(index + 1);
    if (next === "(" && DYNAMIC.has(tokens.text(index))) found.open = true;
    if (next === ":=") found.names.add(tokens.text(index));
  }
}

function readFromImport(tokens: Tokens, { from, to }: Span, found: Found): void {
  const at = findAtDepth(tokens, { from, to }, "import");
  if (at === undefined) return;
  if (tokens.text(at + 1) === "*") found.open = true;
  const isInBrackets = tokens.text(at + 1) === "(";
  readImported(tokens, { from: at + (isInBrackets ? 2 : 1), to }, found);
}

function readImported(tokens: Tokens, { from, to }: Span, found: Found): void {
  for (const part of partsOf(tokens, { from, to })) {
    const name = importedName(tokens, part);
    if (name !== undefined) bind(name, true, found);
  }
}

/** Yields the parts between commas. */
function* partsOf(tokens: Tokens, { from, to }: Span): Generator<Span> {
  for (let start = from; start < to; ) {
    const end = findAtDepth(tokens, { from: start, to }, ",") ?? to;
    yield { from: start, to: end };
    start = end + 1;
  }
}

/** Returns the name that `a`, `a.b` (binds a) or `a as b` binds. */
function importedName(tokens: Tokens, { from, to }: Span): string | undefined {
  const alias = findAtDepth(tokens, { from, to }, "as");
  const at = alias === undefined ? from : alias + 1;
  return tokens.kind(at) === "word" ? tokens.text(at) : undefined;
}

/**
 * Returns the names bound by `a = b = ...`, `a, b = ...`, `a: T = ...`; not `a.b = ...`,
 * `a[0] = ...`, `f(a=1)` or `a == b`.
 */
function assignedNames(tokens: Tokens, { from, to }: Span): readonly string[] {
  const found: string[] = [];
  let start = from;
  for (let index = from; index < to; index = afterToken(tokens, index, to)) {
    const text = tokens.text(index);
    if (text === "lambda") break;
    if (text !== "=") continue;
    found.push(...namesOfTarget(tokens, { from: start, to: index }));
    start = index + 1;
  }
  return found;
}

function namesOfTarget(tokens: Tokens, span: Span): readonly string[] {
  const to = findAtDepth(tokens, span, ":") ?? span.to;
  for (let index = span.from; index < to; index++) {
    const text = tokens.text(index);
    const isPart = tokens.kind(index) === "word" || ",*()[]".includes(text);
    const isAfterWord = tokens.kind(index - 1) === "word" && index > span.from;
    if (!isPart || (isAfterWord && "([".includes(text))) return [];
  }
  return wordsIn(tokens, { from: span.from, to });
}

function wordsIn(tokens: Tokens, { from, to }: Span): readonly string[] {
  const words: string[] = [];
  for (let index = from; index < to; index++)
    if (tokens.kind(index) === "word") words.push(tokens.text(index));
  return words;
}

function findAtDepth(tokens: Tokens, { from, to }: Span, text: string): number | undefined {
  for (let index = from; index < to; index = afterToken(tokens, index, to))
    if (tokens.text(index) === text) return index;
  return undefined;
}

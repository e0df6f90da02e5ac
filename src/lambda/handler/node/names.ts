import type { ModuleNames } from "../app-files.ts";
import { afterToken, type Tokens } from "../tokens.ts";
import { isImport, nameAt, parametersIn, parametersOf, skip } from "./syntax.ts";
import { nodeTokens } from "./tokens.ts";

/** What a Node module exports, and in which of the two module systems it is written. */
export interface NodeModule extends ModuleNames {
  /** By exported name: how many parameters the function has before one with a default value. */
  readonly parameters: ReadonlyMap<string, number>;
  /** Whether it has `import` or `export` statements. */
  readonly isEsm: boolean;
  /** What it imports or requires by a literal: `express`, `./app.js`. */
  readonly imports: ReadonlySet<string>;
  /** Whether it assigns to `exports` or `module.exports`. */
  readonly isCommonJs: boolean;
}

interface Found {
  readonly names: Set<string>;
  /** By exported name: the name of the local function or variable. */
  readonly locals: Map<string, string>;
  readonly parameters: Map<string, number>;
  /** Functions declared in the module, by local name. */
  readonly declared: Map<string, number>;
  readonly imports: Set<string>;
  open: boolean;
  isEsm: boolean;
  isCommonJs: boolean;
}

/** The last source that was read: several rules ask for the handler's names. */
let last: { readonly source: string; readonly module: NodeModule } | undefined;

/**
 * Finds the names that a Node module exports, as ESM or CommonJS, without running it. `open` is
 * true if only running it would show all names: `export *`, `module.exports = make()`,
 * `exports[name] = ...`, `exports` as an argument. The time is linear in the source's length.
 */
export function nodeNames(source: string): NodeModule {
  if (last?.source !== source) last = { source, module: readNames(source) };
  return last.module;
}

function readNames(source: string): NodeModule {
  const tokens = nodeTokens(source);
  const found: Found = {
    ...{ names: new Set(), locals: new Map(), parameters: new Map(), declared: new Map() },
    imports: new Set(),
    ...{ open: !tokens.isBalanced, isEsm: false, isCommonJs: false },
  };
  for (let index = 0; index < tokens.length; index++) {
    if (tokens.kind(index) === "word") readWord(tokens, index, found);
  }
  for (const [name, local] of found.locals) {
    const count = found.declared.get(local);
    if (count !== undefined) found.parameters.set(name, count);
  }
  return { ...found, functions: new Set(found.parameters.keys()) };
}

function readWord(tokens: Tokens, index: number, found: Found): void {
  const isMember = tokens.text(index - 1) === ".";
  const next = tokens.text(index + 1);
  switch (tokens.text(index)) {
    case "exports":
      readExports(tokens, index, found);
      break;
    case "export":
      if (!isMember && !/^[:=(,}.]$/.test(next)) readExport(tokens, index + 1, found);
      break;
    case "from":
      readImport(tokens, index + 1, found);
      break;
    case "require":
    case "import":
      readImport(tokens, next === "(" ? index + 2 : index + 1, found);
      found.isEsm ||= !isMember && isImport(tokens, index);
      break;
    case "function":
      declare(tokens, next === "*" ? index + 2 : index + 1, index, found);
      break;
    case "const":
    case "let":
    case "var":
      if (tokens.text(index + 2) === "=") declare(tokens, index + 1, index + 3, found);
      break;
  }
}

function readImport(tokens: Tokens, at: number, { imports }: Found): void {
  const specifier = tokens.kind(at) === "string" ? nameAt(tokens, at) : undefined;
  if (specifier !== undefined) imports.add(specifier);
}

function declare(tokens: Tokens, name: number, value: number, { declared }: Found): void {
  const count = parametersOf(tokens, value);
  if (count !== undefined && tokens.kind(name) === "word") declared.set(tokens.text(name), count);
}

function readExport(tokens: Tokens, at: number, found: Found): void {
  found.isEsm = true;
  const text = tokens.text(at);
  if (text === "{") readList(tokens, at, found);
  else if (text === "*") readStar(tokens, at, found);
  else if (text === "default") found.names.add("default");
  else if (text === "const" || text === "let" || text === "var") readVariables(tokens, at + 1, found);
  else {
    const isFunction = /^(?:async|function)$/.test(text);
    const name = skip(tokens, at, /^(?:async|function|class|\*)$/);
    addName(tokens, name, found);
    const count = isFunction ? parametersOf(tokens, at) : undefined;
    if (count !== undefined) found.parameters.set(tokens.text(name), count);
  }
}

function addName(tokens: Tokens, index: number, { names }: Found): void {
  const name = nameAt(tokens, index);
  if (name !== undefined) names.add(name);
}

function readStar(tokens: Tokens, at: number, found: Found): void {
  if (tokens.text(at + 1) === "as") addName(tokens, at + 2, found);
  else found.open = true;
}

/** Reads `{ a, a as b, a as "b" }`. */
function readList(tokens: Tokens, at: number, found: Found): void {
  const end = tokens.closing(at);
  if (end === undefined) {
    found.open = true;
    return;
  }
  for (let index = at + 1; index < end; index++) {
    const local = tokens.text(index);
    if (tokens.text(index + 1) === "as") index += 2;
    const name = nameAt(tokens, index);
    if (name === undefined) continue;
    found.names.add(name);
    found.locals.set(name, local);
  }
}

const STATEMENT = new Set(["export", "import", "const", "let", "var", "function", "class", "return"]);

/** Reads `a = 1, b = 2`. Destructuring (`{ a, b } = ...`) leaves the module open. */
function readVariables(tokens: Tokens, at: number, found: Found): void {
  let name = at;
  for (;;) {
    if (tokens.kind(name) !== "word") {
      found.open = true;
      return;
    }
    found.names.add(tokens.text(name));
    const count = tokens.text(name + 1) === "=" ? parametersOf(tokens, name + 2) : undefined;
    if (count !== undefined) found.parameters.set(tokens.text(name), count);
    const comma = endOfVariable(tokens, name + 1);
    if (comma === undefined) return;
    name = comma + 1;
  }
}

/**
 * Returns the index of the comma after a variable's value; undefined at the end of the statement.
 */
function endOfVariable(tokens: Tokens, from: number): number | undefined {
  for (let index = from; index < tokens.length; index = afterToken(tokens, index)) {
    const text = tokens.text(index);
    if (text === ",") return index;
    const isNext = tokens.startsLine(index) && tokens.kind(index) === "word";
    if (text === ";" || ")]}".includes(text) || (index > from + 1 && isNext)) return undefined;
    if (index > from + 1 && STATEMENT.has(text)) return undefined;
  }
  return undefined;
}

/**
 * Reads what follows the word `exports`. Any use that may export other names leaves the module
 * open.
 */
function readExports(tokens: Tokens, at: number, found: Found): void {
  const next = tokens.text(at + 1);
  const isQuoted = next === "[" && tokens.kind(at + 2) === "string" && tokens.text(at + 3) === "]";
  const name = next === "." || isQuoted ? nameAt(tokens, at + 2) : undefined;
  if (name !== undefined) readMember(tokens, name, at + (isQuoted ? 4 : 3), found);
  else if (next === ",") readProperty(tokens, at, found);
  else if (next === "=") readValue(tokens, at + 2, found);
  else found.open = true;
}

function readMember(tokens: Tokens, name: string, at: number, found: Found): void {
  if (tokens.text(at) !== "=") return;
  found.isCommonJs = true;
  found.names.add(name);
  readFunction(tokens, name, at + 1, found);
}

/** Records the parameters of a function, or the local name that is exported. */
function readFunction(tokens: Tokens, name: string, at: number, { parameters, locals }: Found): void {
  const count = parametersOf(tokens, at);
  if (count !== undefined) parameters.set(name, count);
  else if (tokens.kind(at) === "word") locals.set(name, tokens.text(at));
}

function readProperty(tokens: Tokens, at: number, found: Found): void {
  const first = tokens.text(at - 1) === "." ? at - 2 : at;
  const isDefined = tokens.text(first - 1) === "(" && tokens.text(first - 2) === "defineProperty";
  const name = tokens.kind(at + 2) === "string" ? nameAt(tokens, at + 2) : undefined;
  if (!isDefined || name === undefined) found.open = true;
  else found.names.add(name);
}

function readValue(tokens: Tokens, at: number, found: Found): void {
  found.isCommonJs = true;
  const text = tokens.text(at);
  if (text === "{") readObject(tokens, at, found);
  else if (parametersOf(tokens, at) !== undefined || text === "class") return;
  // In `exports = module.exports = {}` the second assignment is read.
  else if (text === "exports" && tokens.text(at + 1) === "=") return;
  else if (text === "module" && tokens.text(at + 2) === "exports" && tokens.text(at + 3) === "=") return;
  else found.open = true;
}

function readObject(tokens: Tokens, at: number, found: Found): void {
  const end = tokens.closing(at);
  found.open ||= end === undefined;
  for (let index = at + 1; end !== undefined && index < end; ) {
    const key = skip(tokens, index, /^(?:async|get|set|\*)$/);
    const isPrefix = key > index && !/^[,:(}]$/.test(tokens.text(key));
    readKey(tokens, isPrefix ? key : index, found);
    while (index < end && tokens.text(index) !== ",") index = afterToken(tokens, index);
    index += 1;
  }
}

function readKey(tokens: Tokens, at: number, found: Found): void {
  const name = nameAt(tokens, at);
  if (name === undefined || !/^[,:(}]$/.test(tokens.text(at + 1))) {
    found.open = true;
    return;
  }
  found.names.add(name);
  if (tokens.text(at + 1) === ":") readFunction(tokens, name, at + 2, found);
  else if (tokens.text(at + 1) === "(") found.parameters.set(name, parametersIn(tokens, at + 1));
  else found.locals.set(name, name);
}

import type {
  AnyNode,
  CallExpression,
  ExportNamedDeclaration,
  MemberExpression,
  Program,
  Property,
  SpreadElement,
} from "acorn";
import type { ModuleNames } from "../app-files.ts";

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

/** The last source that was parsed: several rules ask for the handler's names. */
let last: { readonly source: string; readonly module: Promise<NodeModule | undefined> } | undefined;

/**
 * Finds the names that a Node module exports, as ESM or CommonJS, without running it. `open` is
 * true if only running it would show all names: `export *`, `module.exports = make()`,
 * `exports[name] = ...`, `exports` as an argument. Returns undefined for a source that cannot be
 * parsed.
 */
export function nodeNames(source: string): Promise<NodeModule | undefined> {
  if (last?.source !== source) last = { source, module: parsedNames(source) };
  return last.module;
}

async function parsedNames(source: string): Promise<NodeModule | undefined> {
  const program = await parsed(source);
  if (!program) return undefined;
  const found: Found = {
    ...{ names: new Set(), locals: new Map(), parameters: new Map(), declared: new Map() },
    ...{ imports: new Set(), open: false, isEsm: false, isCommonJs: false },
  };
  readNodes(program, found);
  for (const [name, local] of found.locals) {
    const count = found.declared.get(local);
    if (count !== undefined) found.parameters.set(name, count);
  }
  return { ...found, functions: new Set(found.parameters.keys()) };
}

/** Accepts both module systems in one file, as bundlers write them. */
async function parsed(source: string): Promise<Program | undefined> {
  const { parse } = await import("acorn");
  try {
    return parse(source, {
      ...{ ecmaVersion: "latest", sourceType: "script", checkPrivateFields: false },
      ...{ allowImportExportEverywhere: true, allowReturnOutsideFunction: true },
      allowAwaitOutsideFunction: true,
    });
  } catch {
    return undefined; // a syntax error, or code that is nested too deeply (a RangeError)
  }
}

/** Reads all nodes, without recursion. The last declaration of a name in the source counts. */
function readNodes(program: Program, found: Found): void {
  const pending: [node: AnyNode, isWrapped: boolean][] = [[program, false]];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [node, isInside] = next;
    // A module within a bundle has its own `exports`, as a parameter.
    const isWrapped = isInside || ("params" in node && node.params.some(isModuleParameter));
    readModule(node, found);
    const below = isWrapped ? Object.values(node) : readExports(node, found);
    for (const child of below.flat().reverse()) if (isNode(child)) pending.push([child, isWrapped]);
  }
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === "object" && value !== null && "type" in value;
}

function isModuleParameter(node: AnyNode): boolean {
  return node.type === "Identifier" && (node.name === "exports" || node.name === "module");
}

function readModule(node: AnyNode, found: Found): void {
  switch (node.type) {
    case "ImportDeclaration":
    case "ImportExpression":
      found.isEsm ||= node.type === "ImportDeclaration";
      addImport(node.source, found);
      break;
    case "MetaProperty":
      found.isEsm ||= node.meta.name === "import";
      break;
    case "ExportNamedDeclaration":
      readExport(node, found);
      break;
    case "ExportDefaultDeclaration":
      found.isEsm = true;
      found.names.add("default");
      break;
    case "ExportAllDeclaration":
      found.isEsm = true;
      addImport(node.source, found);
      if (node.exported) found.names.add(nameOf(node.exported) ?? "");
      else found.open = true;
      break;
    case "CallExpression":
      if (nameOf(node.callee) === "require") addImport(node.arguments[0], found);
      break;
    case "FunctionDeclaration":
    case "VariableDeclarator":
      declare(node.id, node.type === "VariableDeclarator" ? node.init : node, found);
      break;
  }
}

function addImport(specifier: AnyNode | null | undefined, { imports }: Found): void {
  const text = specifier ? textOf(specifier) : undefined;
  if (text !== undefined) imports.add(text);
}

function declare(id: AnyNode | null | undefined, value: AnyNode | null | undefined, { declared }: Found) {
  const count = parametersOf(value);
  if (id?.type === "Identifier" && count !== undefined) declared.set(id.name, count);
}

/** Destructuring (`export const { a, b } = ...`) leaves the module open. */
function readExport({ declaration, specifiers, source }: ExportNamedDeclaration, found: Found): void {
  found.isEsm = true;
  addImport(source, found);
  for (const { exported, local } of specifiers) addName(nameOf(exported), source ? undefined : local, found);
  const bound = declaration?.type === "VariableDeclaration" ? declaration.declarations : [declaration];
  for (const one of bound) {
    if (one?.id.type === "Identifier") addName(one.id.name, one.id, found);
    else found.open ||= one !== null;
  }
}

/** Adds an exported name. `value`: the function, or the local name of it. */
function addName(name: string | undefined, value: AnyNode | undefined, found: Found): void {
  if (name === undefined) return;
  found.names.add(name);
  const count = parametersOf(value);
  if (count !== undefined) found.parameters.set(name, count);
  else if (value?.type === "Identifier") found.locals.set(name, value.name);
}

/** Returns whether the node is `exports` or `module.exports`. */
function isExports(node: AnyNode | undefined): boolean {
  if (node?.type === "MemberExpression")
    return nameOf(node.object) === "module" && keyName(node) === "exports";
  return node?.type === "Identifier" && node.name === "exports";
}

/**
 * Reads the uses of `exports` in one node, and returns the values below it that are left to read.
 * Any use that may export other names leaves the module open.
 */
function readExports(node: AnyNode, found: Found): readonly unknown[] {
  if (isExports(node)) found.open = true;
  else if (node.type === "AssignmentExpression" && isExports(node.left)) {
    found.isCommonJs = true;
    readValue(node.right, found);
    return [node.right];
  } else if (node.type === "AssignmentExpression" && isMember(node.left)) {
    found.isCommonJs = true;
    addName(keyName(node.left), node.right, found);
  } else if (isMember(node)) {
    found.open ||= keyName(node) === undefined;
    return [node.property].filter(() => node.computed);
  } else if (node.type === "CallExpression" && isExports(node.arguments[0])) {
    readDefined(node, found);
    return [node.callee, ...node.arguments.slice(1)];
  }
  const isPlain = "computed" in node && !node.computed;
  return isPlain ? ["object" in node ? node.object : node.value] : Object.values(node);
}

/** Returns whether it is a member of `exports`. */
function isMember(node: AnyNode): node is MemberExpression {
  return node.type === "MemberExpression" && isExports(node.object);
}

/** Reads `Object.defineProperty(exports, "handler", ...)`. */
function readDefined({ callee, arguments: [, name] }: CallExpression, found: Found): void {
  const isDefined = callee.type === "MemberExpression" && keyName(callee) === "defineProperty";
  const text = name && textOf(name);
  if (isDefined && text !== undefined) found.names.add(text);
  else found.open = true;
}

/** Reads what is assigned to `exports`: an object, or a function or class, which has no names. */
function readValue(value: AnyNode, found: Found): void {
  if (value.type === "ObjectExpression") for (const one of value.properties) readProperty(one, found);
  // In `exports = module.exports = {}` the second assignment is read.
  else if (value.type === "AssignmentExpression") found.open ||= !isExports(value.left);
  else found.open ||= parametersOf(value) === undefined && value.type !== "ClassExpression";
}

function readProperty(property: Property | SpreadElement, found: Found): void {
  const name = property.type === "Property" ? keyName(property) : undefined;
  if (property.type !== "Property" || name === undefined) found.open = true;
  else addName(name, property.kind === "init" ? property.value : undefined, found);
}

/** Counts parameters as `Function.prototype.length`; undefined for a node that is no function. */
function parametersOf(node: AnyNode | null | undefined): number | undefined {
  if (!node || !("params" in node)) return undefined;
  const end = node.params.findIndex(({ type }) => type === "AssignmentPattern" || type === "RestElement");
  return end < 0 ? node.params.length : end;
}

/** Returns the name of `a.name`, `a["name"]` or a property `name: a`; undefined if it is computed. */
function keyName(node: MemberExpression | Property): string | undefined {
  const key = node.type === "Property" ? node.key : node.property;
  return node.computed ? textOf(key) : nameOf(key);
}

function nameOf(node: AnyNode): string | undefined {
  return node.type === "Identifier" ? node.name : textOf(node);
}

/** Returns the text of a string or of a template without expressions. */
function textOf(node: AnyNode): string | undefined {
  if (node.type === "TemplateLiteral")
    return node.quasis.length === 1 ? (node.quasis[0]?.value.cooked ?? undefined) : undefined;
  return node.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}

import { createRequire } from "node:module";
import type { Node, ParseError } from "jsonc-parser";
import { LambdaPackError } from "../../errors.ts";
import { nearest, oneOf } from "../../lambda/nearest.ts";
import type { OptionTable } from "../options/read.ts";

/** Loaded by `require`, because bundlers cannot follow the parts of its UMD main file. */
const { parse, parseTree, printParseErrorCode }: typeof import("jsonc-parser") = createRequire(
  import.meta.url,
)("jsonc-parser");

/** Values by key, each of its option's type. */
export type Settings = Readonly<Record<string, unknown>>;

/** The configuration file as it is written, without defaults or resolved paths. */
export interface ConfigFile {
  readonly defaults: Settings;
  /** The functions in the order of the file. */
  readonly functions: ReadonlyMap<string, Settings>;
}

/** The valid keys of each part of the file. */
export interface ConfigTables {
  readonly defaults: OptionTable;
  readonly functions: OptionTable;
}

/** Restricted because names are shown, typed on the command line and used in file names. */
const FUNCTION_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * Parses the text of lambda-pack.jsonc: JSON with comments and trailing commas.
 * @param file the name of the file in messages
 * @throws CONFIG_INVALID with every mistake: its line and column, and for an unknown key the
 * nearest one
 */
export function parseConfig(text: string, file: string, tables: ConfigTables): ConfigFile {
  const reader = new Reader(text.replace(/^\ufeff/, ""), file, tables);
  const config = reader.config();
  reader.finish();
  return config;
}

interface Mistake {
  readonly message: string;
  readonly fix: string | undefined;
}

class Reader {
  readonly #text: string;
  readonly #file: string;
  readonly #tables: ConfigTables;
  readonly #mistakes: Mistake[] = [];

  constructor(text: string, file: string, tables: ConfigTables) {
    this.#text = text;
    this.#file = file;
    this.#tables = tables;
  }

  /** Ends the parse. @throws CONFIG_INVALID if there were mistakes */
  finish(): void {
    if (this.#mistakes.length === 0) return;
    const fixes = new Set(this.#mistakes.flatMap(({ fix }) => fix ?? []));
    throw new LambdaPackError("CONFIG_INVALID", this.#mistakes.map(({ message }) => message).join("\n"), {
      hint: fixes.size > 0 ? [...fixes].join("; ") : undefined,
    });
  }

  config(): ConfigFile {
    const errors: ParseError[] = [];
    const root = parseTree(this.#text, errors, { allowTrailingComma: true });
    // Syntax errors after the first one usually follow from it.
    for (const { error, offset } of errors.slice(0, 1)) this.#wrong(offset, syntax(error), undefined);
    if (errors.length > 0 || !root) {
      if (errors.length === 0) this.#wrong(0, "the file is empty", 'write { "functions": {} }');
      return { defaults: {}, functions: new Map() };
    }
    const keys = this.#properties(root, ["$schema", "defaults", "functions"], "the file");
    const defaults = keys.get("defaults");
    const functions = keys.get("functions");
    return {
      defaults: defaults ? this.#settings(defaults, "defaults", this.#tables.defaults) : {},
      functions: functions ? this.#functions(functions) : new Map(),
    };
  }

  #functions(node: Node): ReadonlyMap<string, Settings> {
    const functions = new Map<string, Settings>();
    for (const [name, value] of this.#properties(node, undefined, "functions")) {
      if (!FUNCTION_NAME.test(name))
        this.#wrong(
          value.offset,
          `${JSON.stringify(name)} is not a name for a function`,
          "use letters, digits, ., _ and -",
        );
      functions.set(name, this.#settings(value, name, this.#tables.functions));
    }
    return functions;
  }

  #settings(node: Node, owner: string, table: OptionTable): Settings {
    const entries = [...this.#properties(node, Object.keys(table), owner)].map(([key, value]) => [
      key,
      this.#value(key, value, table),
    ]);
    return Object.fromEntries(entries);
  }

  #value(key: string, node: Node, table: OptionTable): unknown {
    const { type } = table[key] ?? {};
    const written = jsonOf(node);
    const value = type?.parse(written);
    if (type && value === undefined) {
      const shown = JSON.stringify(written);
      this.#wrong(
        node.offset,
        `${key} should be ${type.expected}, not ${shown.length > 80 ? `${shown.slice(0, 79)}…` : shown}`,
        type.hint?.(written),
      );
    }
    return value;
  }

  /** Returns the values of an object by key. `known` lists the valid keys; undefined allows any. */
  #properties(node: Node, known: readonly string[] | undefined, owner: string): ReadonlyMap<string, Node> {
    const found = new Map<string, Node>();
    for (const { children: [key, value] = [] } of this.#childrenOf(node, owner)) {
      if (!key || !value) continue;
      const name = String(key.value);
      if (known && !known.includes(name)) this.#unknown(key, name, known, owner);
      else if (found.has(name))
        this.#wrong(key.offset, `${owner} has the key ${name} twice`, "remove one of them");
      else found.set(name, value);
    }
    return found;
  }

  #childrenOf({ type, offset, children = [] }: Node, owner: string): readonly Node[] {
    if (type === "object") return children;
    this.#wrong(offset, `${owner} should be an object`, undefined);
    return [];
  }

  #unknown(key: Node, name: string, known: readonly string[], owner: string): void {
    const near = nearest(name, known, 1);
    const fix = near.length > 0 ? `did you mean ${oneOf(near)}?` : `the keys are ${known.join(", ")}`;
    this.#wrong(key.offset, `${owner} has the key ${JSON.stringify(name)}, which is not known`, fix);
  }

  #wrong(offset: number, problem: string, fix: string | undefined): void {
    const { line, column } = placeOf(this.#text, offset);
    this.#mistakes.push({ message: `${this.#file}:${line}:${column}: ${problem}`, fix });
  }
}

/** Returns the position of an offset; lines and columns count from 1. */
function placeOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** Returns why a text is not JSON, and where: `line 1, column 9: property name expected`. */
export function jsonMistake(text: string): string {
  const errors: ParseError[] = [];
  parse(text, errors, { disallowComments: true });
  const [{ error, offset } = { error: 0, offset: 0 }] = errors;
  const { line, column } = placeOf(text, offset);
  return `line ${line}, column ${column}: ${syntax(error)}`;
}

/** Formats an error code: `CommaExpected` becomes `comma expected`. */
function syntax(error: number): string {
  return printParseErrorCode(error)
    .replace(/(?<=.)[A-Z]/g, " $&")
    .toLowerCase();
}

/** Returns the value of a node. Object.fromEntries makes `__proto__` an ordinary key. */
function jsonOf({ type, value, children = [] }: Node): unknown {
  if (type === "array") return children.map(jsonOf);
  if (type !== "object") return value;
  return Object.fromEntries(
    children.flatMap(({ children: [key, child] = [] }) =>
      key && child ? [[String(key.value), jsonOf(child)]] : [],
    ),
  );
}

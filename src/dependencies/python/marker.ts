import { satisfies } from "./version.ts";

/** The values against which a marker is evaluated. */
export interface MarkerContext {
  readonly environment: Readonly<Record<string, string>>;
  /** The selected extras and dependency groups, with normalized names. */
  readonly extras: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
}

type Token = { readonly kind: "text" | "name" | "operator" | "word"; readonly text: string };

const TOKEN =
  /\s*(?:"([^"]*)"|'([^']*)'|(===|~=|==|!=|<=|>=|<|>|\(|\))|(and|or|not\s+in|in)(?![\w.])|([A-Za-z_][\w.]*))/y;

/**
 * Evaluates an environment marker (PEP 508, and the sets of PEP 751). Returns undefined for an
 * invalid one.
 */
export function evaluateMarker(marker: string, context: MarkerContext): boolean | undefined {
  const tokens = tokenize(marker);
  if (!tokens) return undefined;
  const reader = { tokens, at: 0 };
  const value = readOr(reader, context);
  return reader.at === tokens.length ? value : undefined;
}

interface Reader {
  readonly tokens: readonly Token[];
  at: number;
}

function tokenize(marker: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKEN);
  while (pattern.lastIndex < marker.trimEnd().length) {
    const found = pattern.exec(marker);
    if (!found) return undefined;
    const [, double, single, operator, word, name = ""] = found;
    const text = double ?? single;
    if (text !== undefined) tokens.push({ kind: "text", text });
    else if (operator !== undefined) tokens.push({ kind: "operator", text: operator });
    else if (word !== undefined) tokens.push({ kind: "word", text: word.replace(/\s+/, " ") });
    else tokens.push({ kind: "name", text: name });
  }
  return tokens;
}

function take(reader: Reader, kind: Token["kind"], text: string): boolean {
  const token = reader.tokens[reader.at];
  if (token?.kind !== kind || token.text !== text) return false;
  reader.at += 1;
  return true;
}

function readOr(reader: Reader, context: MarkerContext): boolean | undefined {
  let value = readAnd(reader, context);
  while (take(reader, "word", "or")) {
    const right = readAnd(reader, context);
    value = value === undefined || right === undefined ? undefined : value || right;
  }
  return value;
}

function readAnd(reader: Reader, context: MarkerContext): boolean | undefined {
  let value = readComparison(reader, context);
  while (take(reader, "word", "and")) {
    const right = readComparison(reader, context);
    value = value === undefined || right === undefined ? undefined : value && right;
  }
  return value;
}

function readComparison(reader: Reader, context: MarkerContext): boolean | undefined {
  if (take(reader, "operator", "(")) {
    const value = readOr(reader, context);
    return take(reader, "operator", ")") ? value : undefined;
  }
  const [left, operator, right] = reader.tokens.slice(reader.at, reader.at + 3);
  reader.at += 3;
  if (!left || !operator || !right) return undefined;
  return compare(left, operator.text, right, context);
}

const SETS: ReadonlySet<string> = new Set(["extra", "extras", "dependency_groups"]);

function compare(left: Token, operator: string, right: Token, context: MarkerContext): boolean | undefined {
  if (left.kind === "name" && SETS.has(left.text)) return inSet(left.text, right.text, operator, context);
  if (right.kind === "name" && SETS.has(right.text)) return inSet(right.text, left.text, operator, context);
  const [a, b] = [textOf(left, context), textOf(right, context)];
  if (a === undefined || b === undefined) return undefined;
  if (operator === "in") return b.includes(a);
  if (operator === "not in") return !b.includes(a);
  return satisfies(a, operator, b) ?? compareTexts(a, operator, b);
}

function inSet(
  set: string,
  name: string,
  operator: string,
  { extras, groups }: MarkerContext,
): boolean | undefined {
  const isIn = (set === "dependency_groups" ? groups : extras).has(normalizeName(name));
  if (operator === "==" || operator === "in") return isIn;
  return operator === "!=" || operator === "not in" ? !isIn : undefined;
}

function textOf({ kind, text }: Token, { environment }: MarkerContext): string | undefined {
  if (kind === "text") return text;
  // Names with dots are older than PEP 508: `os.name`, `sys.platform`.
  return kind === "name" ? environment[text.replaceAll(".", "_")] : undefined;
}

function compareTexts(a: string, operator: string, b: string): boolean | undefined {
  if (operator === "==" || operator === "===") return a === b;
  if (operator === "!=") return a !== b;
  if (operator === "<=" || operator === ">=") return a === b || (operator === "<=" ? a < b : a > b);
  if (operator === "<" || operator === ">") return operator === "<" ? a < b : a > b;
  return undefined;
}

/** Normalizes a name: `Foo.Bar_baz` becomes `foo-bar-baz` (PEP 503). */
export function normalizeName(name: string): string {
  return name.replace(/[-_.]+/g, "-").toLowerCase();
}

/** A version in the order of PEP 440: numbers to compare from left to right. */
interface PythonVersion {
  readonly epoch: number;
  readonly release: readonly number[];
  /** Pre-release, post-release and development release, as numbers in the order of PEP 440. */
  readonly suffix: readonly number[];
}

const VERSION =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?(\d*))?(?:(?:[-_.]?(?:post|rev|r)[-_.]?(\d*))|-(\d+))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?$/i;

/** The order of a development release without a phase, the three phases, and a final release. */
const DEV_ONLY = -1;
const PHASES = [/^a/, /^b/, /^[cpr]/];
const FINAL = PHASES.length;

/**
 * Parses a version; undefined if it is not valid. A local version (`+cu121`) equals its public one.
 */
function parseVersion(text: string): PythonVersion | undefined {
  const found = VERSION.exec(text.trim());
  if (!found) return undefined;
  const [, epoch = "0", release = "", phase, phaseNumber, post, implicitPost, dev, devNumber] = found;
  const postNumber = post ?? implicitPost;
  const isDevOnly = dev !== undefined && phase === undefined && postNumber === undefined;
  const known = PHASES.findIndex((pattern) => pattern.test(phase?.toLowerCase() ?? ""));
  return {
    epoch: Number(epoch),
    release: release.split(".").map(Number),
    suffix: [
      phase === undefined ? (isDevOnly ? DEV_ONLY : FINAL) : known,
      Number(phaseNumber ?? 0),
      postNumber === undefined ? -1 : Number(postNumber),
      dev === undefined ? Number.POSITIVE_INFINITY : Number(devNumber ?? 0),
    ],
  };
}

function compareVersions(a: PythonVersion, b: PythonVersion): number {
  const length = Math.max(a.release.length, b.release.length);
  const padded = ({ epoch, release, suffix }: PythonVersion) => [
    epoch,
    ...Array.from({ length }, (_, index) => release[index] ?? 0),
    ...suffix,
  ];
  const right = padded(b);
  const differences = padded(a).map((value, index) => Math.sign(value - (right[index] ?? 0)) || 0);
  return differences.find((difference) => difference !== 0) ?? 0;
}

/** Returns whether `version` satisfies an operator, by its order to the wanted one. */
const ORDERS: Readonly<Record<string, (order: number) => boolean>> = {
  "==": (order) => order === 0,
  "!=": (order) => order !== 0,
  "<=": (order) => order <= 0,
  ">=": (order) => order >= 0,
  "<": (order) => order < 0,
  ">": (order) => order > 0,
  "~=": (order) => order >= 0,
};

/**
 * Returns whether `version` satisfies a clause such as `>=3.9` or `==3.*` (PEP 440); undefined if
 * one of the versions is not valid.
 */
export function satisfies(version: string, operator: string, wanted: string): boolean | undefined {
  if (operator === "===") return version === wanted;
  const prefix = /^(.*)\.\*$/.exec(wanted.trim())?.[1];
  const [left, right] = [parseVersion(version), parseVersion(prefix ?? wanted)];
  const isRight = ORDERS[operator];
  if (!left || !right || !isRight) return undefined;
  // Old packages write `>=3.6.*`, which PEP 440 does not know: there the version counts.
  if (prefix !== undefined && (operator === "==" || operator === "!="))
    return startsWith(left, right.release) === (operator === "==");
  const isCompatible = operator !== "~=" || startsWith(left, right.release.slice(0, -1));
  return isRight(compareVersions(left, right)) && isCompatible;
}

function startsWith({ release }: PythonVersion, prefix: readonly number[]): boolean {
  return prefix.every((number, index) => (release[index] ?? 0) === number);
}

/**
 * Returns whether a version satisfies every clause of a specifier: `>=3.9,<4,!=3.10.*`. An invalid
 * clause is never satisfied.
 */
export function satisfiesAll(version: string, specifier: string): boolean {
  return specifier
    .split(",")
    .map((clause) => clause.trim())
    .filter((clause) => clause !== "")
    .every((clause) => {
      const [, operator = "", wanted = ""] = /^(===|~=|==|!=|<=|>=|<|>)\s*(.+)$/.exec(clause) ?? [];
      return satisfies(version, operator, wanted) === true;
    });
}

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
  const value = readJoined(reader, context, "or");
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

/** Reads operands joined by a word; undefined if one cannot be read. `and` binds more tightly. */
function readJoined(reader: Reader, context: MarkerContext, word: "or" | "and"): boolean | undefined {
  const readNext = () =>
    word === "or" ? readJoined(reader, context, "and") : readComparison(reader, context);
  const values = [readNext()];
  while (take(reader, "word", word)) values.push(readNext());
  if (values.includes(undefined)) return undefined;
  return word === "or" ? values.includes(true) : !values.includes(false);
}

function readComparison(reader: Reader, context: MarkerContext): boolean | undefined {
  if (take(reader, "operator", "(")) {
    const value = readJoined(reader, context, "or");
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
  if (operator === "===") return a === b;
  return operator === "~=" ? undefined : ORDERS[operator]?.(a === b ? 0 : a < b ? -1 : 1);
}

/** Normalizes a name: `Foo.Bar_baz` becomes `foo-bar-baz` (PEP 503). */
export function normalizeName(name: string): string {
  return name.replace(/[-_.]+/g, "-").toLowerCase();
}

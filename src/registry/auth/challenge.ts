/** One authentication challenge (RFC 7235 section 2.1). Scheme and parameter names in lower case, values as written. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

interface Draft {
  readonly scheme: string;
  readonly parameters: Record<string, string>;
}

/** Every challenge of every `WWW-Authenticate` line, in order. A malformed line gives what stood whole before its fault. */
export function parseChallenges(lines: readonly string[]): readonly Challenge[] {
  return lines.flatMap(parseLine);
}

/** `scheme`, `scheme name=value`, `scheme token68`, `name=value`: what may stand between two commas. */
function parseLine(line: string): readonly Challenge[] {
  const challenges: Draft[] = [];
  const scanner = scan(line);
  while (scanner.nextItem()) {
    const word = scanner.word();
    if (word === undefined) break;
    const parameters = challenges.at(-1)?.parameters;
    const whole = scanner.isParameter()
      ? parameters && readValue(scanner, word, parameters)
      : readScheme(scanner, word, challenges);
    if (!whole) break;
  }
  return challenges;
}

/** Whether the item was whole. A token68 (`Negotiate YII=`) is passed over. */
function readScheme(scanner: Scanner, scheme: string, challenges: Draft[]): boolean {
  const parameters: Record<string, string> = {};
  challenges.push({ scheme: scheme.toLowerCase(), parameters });
  const word = scanner.word();
  if (word === undefined) return scanner.atEndOfItem();
  if (scanner.isToken68()) return true;
  return scanner.isParameter() && readValue(scanner, word, parameters);
}

/** A parameter counts only when it ends where an item may end: a realm cut short is no realm. */
function readValue(scanner: Scanner, name: string, parameters: Record<string, string>): boolean {
  const value = scanner.value();
  if (value === undefined) return false;
  const key = name.toLowerCase();
  if (!Object.hasOwn(parameters, key)) parameters[key] = value;
  return scanner.atEndOfItem();
}

type Scanner = ReturnType<typeof scan>;

/** Unquoted values may hold what a URL holds: registries write `realm=/` and worse. */
const WORD = /"((?:[^"\\]|\\.)*)"|([!#$%&'*+\-.^_`|~0-9A-Za-z/:?@]+)/y;

function scan(text: string) {
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text) ?? undefined;
    if (found) at = pattern.lastIndex;
    return found;
  };
  const word = (): string | undefined => {
    take(/[ \t]*/y);
    const found = take(WORD);
    return found && (found[2] ?? found[1]?.replace(/\\(.)/g, "$1"));
  };
  return {
    /** Past the commas, which may be many (RFC 7230 section 7); false at the end. */
    nextItem: () => take(/[ \t,]*/y) !== undefined && at < text.length,
    word,
    isParameter: () => take(/[ \t]*=/y) !== undefined,
    isToken68: () => take(/=*[ \t]*(?=,|$)/y) !== undefined,
    value: word,
    atEndOfItem: () => take(/[ \t]*(?=,|$)/y) !== undefined,
  };
}

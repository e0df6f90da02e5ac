/**
 * One authentication challenge (RFC 7235 section 2.1). Scheme and parameter names are in lower
 * case, values as written.
 */
interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

interface Draft {
  readonly scheme: string;
  readonly parameters: Record<string, string>;
}

/**
 * Parses the challenges of all `WWW-Authenticate` lines, in order. An incomplete challenge is left
 * out, because its realm may be cut off.
 */
export function parseChallenges(lines: readonly string[]): readonly Challenge[] {
  return lines.flatMap(parseLine);
}

/** Parses items between commas: `scheme`, `scheme name=value`, `scheme token68` or `name=value`. */
function parseLine(line: string): readonly Challenge[] {
  const challenges: Draft[] = [];
  const scanner = scan(line);
  while (scanner.nextItem()) {
    const word = scanner.word();
    const parameters = challenges.at(-1)?.parameters;
    const isParameter = word !== undefined && scanner.isParameter();
    const isWhole = isParameter
      ? parameters !== undefined && readValue(scanner, word, parameters)
      : word !== undefined && readScheme(scanner, word, challenges);
    // After a syntax error nothing is reliable, and the last challenge may be incomplete.
    if (!isWhole) return challenges.slice(0, -1);
  }
  return challenges;
}

/** Reads the start of a challenge, skipping a token68. Returns whether it is complete. */
function readScheme(scanner: Scanner, scheme: string, challenges: Draft[]): boolean {
  const parameters: Record<string, string> = {};
  challenges.push({ scheme: scheme.toLowerCase(), parameters });
  const word = scanner.word();
  if (word === undefined) return scanner.atEndOfItem();
  if (scanner.isToken68()) return true;
  return scanner.isParameter() && readValue(scanner, word, parameters);
}

/** Reads a parameter; a repeated name keeps its first value. Returns whether it is complete. */
function readValue(scanner: Scanner, name: string, parameters: Record<string, string>): boolean {
  const value = scanner.value();
  if (value === undefined) return false;
  const key = name.toLowerCase();
  if (!Object.hasOwn(parameters, key)) parameters[key] = value;
  return scanner.atEndOfItem();
}

type Scanner = ReturnType<typeof scan>;

/** Unquoted values may contain URL characters, because some registries do not quote the realm. */
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
    /** Skips commas, of which there may be several (RFC 7230 section 7); false at the end. */
    nextItem: () => take(/[ \t,]*/y) !== undefined && at < text.length,
    word,
    isParameter: () => take(/[ \t]*=/y) !== undefined,
    isToken68: () => take(/=*[ \t]*(?=,|$)/y) !== undefined,
    value: word,
    atEndOfItem: () => take(/[ \t]*(?=,|$)/y) !== undefined,
  };
}

export interface BearerScheme {
  readonly kind: "bearer";
  readonly realm: URL;
  readonly service: string | undefined;
  /** Scopes that the registry asks for in addition to those of the request. */
  readonly scopes: readonly string[];
}

/** How a registry wants credentials to be sent. */
export type Scheme = { readonly kind: "basic" } | BearerScheme;

/**
 * Chooses the first supported challenge: Basic, or Bearer with a realm that is an absolute URL or a
 * path of `registry`. Without credentials Bearer comes first, because its token server may answer
 * anonymous requests.
 */
export function chooseScheme(
  lines: readonly string[],
  hasCredentials: boolean,
  registry?: URL,
): Scheme | undefined {
  const schemes = parseChallenges(lines).flatMap((challenge) => schemeOf(challenge, registry) ?? []);
  return (hasCredentials ? undefined : schemes.find(({ kind }) => kind === "bearer")) ?? schemes[0];
}

function schemeOf({ scheme, parameters }: Challenge, registry: URL | undefined): Scheme | undefined {
  if (scheme === "basic") return { kind: "basic" };
  const text = parameters["realm"] ?? "";
  // Some registries give a path instead of a URL (project-zot/zot#4033).
  const realm = /^\/[^/]/.test(text) && registry ? new URL(text, registry).href : text;
  if (scheme !== "bearer" || !URL.canParse(realm)) return undefined;
  const scopes = parameters["scope"]?.split(" ").filter((scope) => scope !== "") ?? [];
  return { kind: "bearer", realm: new URL(realm), service: parameters["service"], scopes };
}

/**
 * One authentication challenge (RFC 7235 section 2.1). Scheme and parameter names are in lower
 * case, values as written.
 */
interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Unquoted words may contain URL characters, because some registries do not quote the realm. */
const WORD = `"(?:[^"\\\\]|\\\\.)*"|[!#$%&'*+\\-.^_\`|~0-9A-Za-z/:?@]+`;
const PARAMETER = `(?<name>${WORD})[ \t]*=[ \t]*(?<value>${WORD})`;
const TOKEN68 = `(?:${WORD})=*`;
/** What is between commas: `scheme name=value`, `name=value`, `scheme` or `scheme token68`. */
const ITEM = new RegExp(
  `[ \t,]*(?:(?:(?<scheme>${WORD})[ \t]+)?${PARAMETER}|(?<alone>${WORD})(?:[ \t]+${TOKEN68})?)[ \t]*(?=,|$)`,
  "y",
);

/**
 * Parses the challenges of all `WWW-Authenticate` lines, in order. After a syntax error the rest of
 * the line is left out, and the challenge before it, because it may be incomplete.
 */
export function parseChallenges(lines: readonly string[]): readonly Challenge[] {
  return lines.flatMap(parseLine);
}

function parseLine(line: string): readonly Challenge[] {
  const challenges: { readonly scheme: string; readonly parameters: Record<string, string> }[] = [];
  ITEM.lastIndex = 0;
  while (/[^ \t,]/.test(line.slice(ITEM.lastIndex))) {
    const item = ITEM.exec(line)?.groups;
    if (!item) return challenges.slice(0, -1);
    const scheme = unquoted(item["scheme"] ?? item["alone"]);
    if (scheme !== undefined) challenges.push({ scheme: scheme.toLowerCase(), parameters: {} });
    const parameters = challenges.at(-1)?.parameters;
    if (!parameters) return [];
    const name = unquoted(item["name"])?.toLowerCase();
    // A repeated name keeps its first value.
    if (name !== undefined && !Object.hasOwn(parameters, name))
      parameters[name] = unquoted(item["value"]) ?? "";
  }
  return challenges;
}

function unquoted(word: string | undefined): string | undefined {
  return word?.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, "$1") : word;
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

/**
 * Merges scopes of the form that distribution's token servers read, `repository:<name>:<actions>`,
 * into one for each resource, with {@link mergeActions}, and sorts them: equal requests give equal
 * lists, so they share a token. Scopes of another form stay as they are.
 */
export function mergeScopes(scopes: readonly string[]): readonly string[] {
  const resources = new Map<string, readonly string[]>();
  const others = new Set<string>();
  for (const scope of scopes.flatMap((text) => text.split(" ")).filter((text) => text !== "")) {
    const { resource, actions } = split(scope);
    if (resource === undefined) others.add(scope);
    else resources.set(resource, mergeActions([...(resources.get(resource) ?? []), ...actions]));
  }
  const named = [...resources].filter(([, actions]) => actions.length > 0);
  return [...others, ...named.map(([resource, actions]) => `${resource}:${actions.join(",")}`)].sort();
}

/** Returns the actions sorted and without duplicates; `*` replaces all others. */
export function mergeActions(actions: readonly string[]): readonly string[] {
  if (actions.includes("*")) return ["*"];
  return [...new Set(actions)].filter((action) => action !== "").sort();
}

/** Returns whether the scopes only pull, which a public registry may allow without a login. */
export function readsOnly(scopes: readonly string[]): boolean {
  return scopes.every((scope) => split(scope).actions.every((action) => action === "pull"));
}

/** A resource name may contain colons (a port); its type and its actions do not. */
function split(scope: string): { readonly resource?: string; readonly actions: readonly string[] } {
  const [first, last] = [scope.indexOf(":"), scope.lastIndexOf(":")];
  if (first < 0 || first === last) return { actions: [] };
  return { resource: scope.slice(0, last), actions: scope.slice(last + 1).split(",") };
}

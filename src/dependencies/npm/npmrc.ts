import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hasCode, LambdaPackError } from "../../errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** npm's settings by name, merged from all sources. Values may be secret. */
export type NpmConfig = ReadonlyMap<string, string>;

interface ConfigPlaces {
  /** The directory of the lock. */
  readonly directory: string;
  readonly home: string;
  readonly environment: Environment;
}

/**
 * Reads the settings of npm: the environment wins over the project's .npmrc, and that over the
 * user's (npm docs, "npmrc"). The global file is read if NPM_CONFIG_GLOBALCONFIG names it.
 * @throws FILE_UNREADABLE for an existing file that cannot be read
 */
export function readNpmConfig({ directory, home, environment }: ConfigPlaces): NpmConfig {
  const fromEnvironment = environmentConfig(environment);
  const files = [
    fromEnvironment.get("globalconfig"),
    fromEnvironment.get("userconfig") ?? join(home, ".npmrc"),
    join(directory, ".npmrc"),
  ];
  const texts = files.map((file) => (file === undefined ? "" : readText(file)));
  return new Map([...texts.flatMap((text) => [...parseNpmrc(text, environment)]), ...fromEnvironment]);
}

function readText(file: string): string {
  try {
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  } catch (error) {
    if (hasCode(error, "EISDIR")) return "";
    throw new LambdaPackError("FILE_UNREADABLE", `cannot read ${file}`, {
      hint: "make it readable for this user",
      cause: error,
    });
  }
}

/**
 * Reads settings from variables. Names that begin with `//` or `@` are kept; in all others `_`
 * stands for `-`, except at the start.
 */
function environmentConfig(environment: Environment): Map<string, string> {
  const config = new Map<string, string>();
  for (const [variable, value] of Object.entries(environment)) {
    const name = /^npm_config_(.+)$/is.exec(variable)?.[1];
    if (name === undefined || value === undefined || value === "") continue;
    const isScoped = name.startsWith("//") || name.startsWith("@");
    config.set(isScoped ? name : name.toLowerCase().replace(/(?!^)_/g, "-"), value);
  }
  return config;
}

/**
 * Parses an .npmrc: ini format without sections, with `${VARIABLE}` in names and values (npm docs,
 * "npmrc").
 */
export function parseNpmrc(text: string, environment: Environment): ReadonlyMap<string, string> {
  const config = new Map<string, string>();
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (/^\s*(?:[;#[]|$)/.test(line)) continue;
    const [, name = "", value = "true"] = /^([^=]+?)\s*(?:=\s*(.*?)\s*)?$/s.exec(line.trim()) ?? [];
    if (name === "") continue;
    config.set(expand(unquote(name), environment), expand(unquote(value), environment));
  }
  return config;
}

/**
 * Parses a value: quoted as JSON, or bare up to a `;` or `#` without a backslash (npm's `ini` 5).
 */
function unquote(text: string): string {
  const quoted = /^"(.*)"$/s.exec(text);
  if (quoted) return parseString(text) ?? quoted[1] ?? "";
  if (/^'.*'$/s.test(text)) return text.slice(1, -1);
  return text
    .replace(/(?<!\\)[;#].*$/s, "")
    .replace(/\\([;#\\])/g, "$1")
    .trim();
}

function parseString(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Replaces `${NAME}`, and `${NAME?}` which may be unset. Like npm, keeps the text if the variable
 * is not set.
 */
function expand(text: string, environment: Environment): string {
  return text.replace(
    /(?<!\\)\$\{([^${}?]+)(\?)?\}/g,
    (whole, name: string, mayMiss: string | undefined) =>
      environment[name] ?? (mayMiss === undefined ? whole : ""),
  );
}

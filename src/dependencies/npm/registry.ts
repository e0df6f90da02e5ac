import { statSync } from "node:fs";
import { join } from "node:path";
import { LambdaPackError, misuse } from "../../errors.ts";
import { withDecodableUser } from "../../registry/http/proxy.ts";
import { basicAuthorization } from "../download.ts";
import { readFile, urlIn } from "../lock-file.ts";
import type { NpmPackage } from "./plan.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** npm's settings by name, merged from all sources. Values may be secret. */
export type NpmConfig = ReadonlyMap<string, string>;

/**
 * Reads the settings of npm: the environment wins over the project's .npmrc, and that over the
 * user's (npm docs, "npmrc"). The global file is read if NPM_CONFIG_GLOBALCONFIG names it.
 * @param directory that of the lock
 * @throws FILE_UNREADABLE for an existing file that cannot be read
 */
export function readNpmConfig(directory: string, home: string, environment: Environment): NpmConfig {
  const fromEnvironment = environmentConfig(environment);
  const files = [
    fromEnvironment.get("globalconfig"),
    fromEnvironment.get("userconfig") ?? join(home, ".npmrc"),
    join(directory, ".npmrc"),
  ];
  const texts = files.map((file) => (isFile(file) ? readFile(file).toString() : ""));
  return new Map([...texts.flatMap((text) => [...parseNpmrc(text, environment)]), ...fromEnvironment]);
}

function isFile(file: string | undefined): file is string {
  return file !== undefined && statSync(file, { throwIfNoEntry: false })?.isFile() === true;
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

/** The locations of packages, and the credentials for them. */
export interface NpmRegistries {
  tarballOf(wanted: Pick<NpmPackage, "name" | "version" | "resolved">): URL;
  /**
   * Returns the Authorization header for a URL, or undefined. A token is sent only to the host and
   * path in its setting, and over http only if the settings name an http registry.
   * @throws CREDENTIALS_INVALID that names the environment variable which the token needs and which
   * is not set
   */
  authorizationFor(url: URL): string | undefined;
  readonly httpHosts: readonly string[];
}

const DEFAULT_REGISTRY = "https://registry.npmjs.org/";

/**
 * Reads the registries from the settings.
 * @throws USAGE for one that is not an http or https URL
 */
export function npmRegistries(config: NpmConfig): NpmRegistries {
  const fallback = registryUrl("registry", config.get("registry") ?? DEFAULT_REGISTRY);
  const scoped = new Map(
    [...config].flatMap(([name, value]) => {
      const scope = /^(@[^:]+):registry$/.exec(name)?.[1];
      return scope === undefined ? [] : [[scope, registryUrl(name, value)] as const];
    }),
  );
  const all = [fallback, ...scoped.values()];
  const registryOf = (name: string): URL => scoped.get(/^(@[^/]+)\//.exec(name)?.[1] ?? "") ?? fallback;
  const replaced = config.get("replace-registry-host") ?? "npmjs";
  return {
    tarballOf({ name, version, resolved }) {
      if (resolved !== undefined) return replaceHost(urlIn(resolved, name), fallback, replaced);
      const file = `${name.slice(name.indexOf("/") + 1)}-${version}.tgz`;
      return urlIn(`${name}/-/${file}`, name, withoutUser(registryOf(name)));
    },
    authorizationFor(url) {
      if (url.protocol === "http:" && !all.some(({ origin }) => origin === url.origin)) return undefined;
      const own = credentialsAt(config, url) ?? userOf(all, url);
      if (own !== undefined) return own;
      // As in npm, tarballs outside the registry's own path get the registry's credentials.
      const registry = all.find(({ host }) => host === url.host);
      return registry && credentialsAt(config, registry);
    },
    httpHosts: all.filter(({ protocol }) => protocol === "http:").map(({ host }) => host),
  };
}

function registryUrl(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") {
    throw misuse(
      `npm's setting ${name} is not an http or https URL`,
      `write it in .npmrc as ${name}=https://host/path/`,
    );
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

function withoutUser(url: URL): URL {
  const bare = new URL(url);
  bare.username = "";
  bare.password = "";
  return bare;
}

/**
 * Replaces npm's own registry in the lock by the one in the settings (npm docs,
 * "replace-registry-host").
 */
function replaceHost(resolved: URL, registry: URL, replaced: string): URL {
  const host = replaced === "npmjs" ? "registry.npmjs.org" : replaced;
  if (replaced === "never" || (replaced !== "always" && resolved.hostname !== host)) return resolved;
  const path = resolved.pathname.startsWith(registry.pathname)
    ? resolved.pathname.slice(registry.pathname.length)
    : resolved.pathname.slice(1);
  return urlIn(path, "resolved", withoutUser(registry));
}

/**
 * Returns the credentials of the most specific path, from the complete URL upwards:
 * `//host/path/:_authToken`, with or without the last slash.
 */
function credentialsAt(config: NpmConfig, { host, pathname }: URL): string | undefined {
  for (let key = `//${host}${pathname}`; key.length > 2; key = key.replace(/(?:[^/]+|\/)$/, "")) {
    const found = credentialsUnder(config, key);
    if (found !== undefined) return found;
  }
  return undefined;
}

function credentialsUnder(config: NpmConfig, key: string): string | undefined {
  const setting = (name: string) => complete(`${key}:${name}`, config.get(`${key}:${name}`));
  const token = setting("_authToken");
  if (token !== undefined) return `Bearer ${token}`;
  const pair = setting("_auth");
  if (pair !== undefined) return `Basic ${pair}`;
  const [user, password] = [setting("username"), setting("_password")];
  if (user === undefined || password === undefined) return undefined;
  return basicAuthorization(user, Buffer.from(password, "base64").toString("utf8"));
}

function complete(name: string, value: string | undefined): string | undefined {
  const variable = /\$\{([^}]+)\}/.exec(value ?? "")?.[1];
  if (variable === undefined) return value === "" ? undefined : value;
  const message = `.npmrc takes ${name} from ${variable}, which is not set`;
  throw new LambdaPackError("CREDENTIALS_INVALID", message, {
    hint: `set the environment variable ${variable}, or remove the line`,
  });
}

function userOf(registries: readonly URL[], url: URL): string | undefined {
  const named = registries.find(({ origin, username }) => origin === url.origin && username !== "");
  if (!named) return undefined;
  const { username, password } = withDecodableUser(named);
  return basicAuthorization(decodeURIComponent(username), decodeURIComponent(password));
}

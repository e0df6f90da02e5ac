import { LambdaPackError } from "../../errors.ts";
import { withDecodableUser } from "../../registry/http/proxy.ts";
import { basicAuthorization } from "../download.ts";
import { usage } from "../refusals.ts";
import type { NpmConfig } from "./npmrc.ts";
import type { NpmPackage } from "./plan.ts";

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
      if (resolved !== undefined) return replaceHost(new URL(resolved), fallback, replaced);
      const file = `${name.slice(name.indexOf("/") + 1)}-${version}.tgz`;
      return new URL(`${name}/-/${file}`, withoutUser(registryOf(name)));
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
    throw usage(
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
  return new URL(path, withoutUser(registry));
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
  throw new LambdaPackError(
    "CREDENTIALS_INVALID",
    `.npmrc takes ${name} from ${variable}, which is not set`,
    {
      hint: `set the environment variable ${variable}, or remove the line`,
    },
  );
}

function userOf(registries: readonly URL[], url: URL): string | undefined {
  const named = registries.find(({ origin, username }) => origin === url.origin && username !== "");
  if (!named) return undefined;
  const { username, password } = withDecodableUser(named);
  return basicAuthorization(decodeURIComponent(username), decodeURIComponent(password));
}

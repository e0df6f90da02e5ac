import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";
import { hasCode, LambdaPackError } from "../../errors.ts";
import type { HttpRequest } from "./types.ts";

/** Environment variables as `process.env` holds them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY (lower case wins) select for `url`;
 * undefined: none. Loopback hosts are never proxied, as in Go's httpproxy, which docker uses.
 * @throws USAGE, which names the variable but not its value, because that may contain a password.
 */
export function proxyFor(url: URL, environment: Environment): URL | undefined {
  const name = url.protocol === "http:" ? "HTTP_PROXY" : "HTTPS_PROXY";
  const value = variable(environment, name);
  if (value === undefined || isLoopback(hostOf(url))) return undefined;
  if (noProxy(variable(environment, "NO_PROXY") ?? "", url)) return undefined;
  return parseProxy(name, value);
}

function variable(environment: Environment, name: string): string | undefined {
  const value = (environment[name.toLowerCase()] || environment[name])?.trim();
  return value === "" ? undefined : value;
}

function parseProxy(name: string, value: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  const url = URL.canParse(text) ? withDecodableUser(new URL(text)) : undefined;
  if (url && (url.protocol === "http:" || url.protocol === "https:")) return url;
  throw new LambdaPackError("USAGE", `${name} does not name an http or https proxy`, {
    hint: `write it as ${name}=http://host:port`,
  });
}

/**
 * Returns the URL with each `%` of user name and password encoded where they cannot be decoded: a
 * password such as `100%` is often written as it is.
 */
export function withDecodableUser(url: URL): URL {
  const decodable = new URL(url);
  if (!isDecodable(url.username)) decodable.username = url.username.replaceAll("%", "%25");
  if (!isDecodable(url.password)) decodable.password = url.password.replaceAll("%", "%25");
  return decodable;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Returns the host without the brackets of an IPv6 address. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Returns whether `host` is `localhost`, a name below it (RFC 6761), in 127.0.0.0/8 or ::1. */
export function isLoopback(host: string): boolean {
  if (/^(?:.*\.)?localhost\.?$/i.test(host)) return true;
  return isIP(host) !== 0 && loopback.check(host, familyOf(host));
}

/** Returns the address family as node:net names it. */
export function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}

function noProxy(list: string, url: URL): boolean {
  return list.split(/[\s,]+/).some((entry) => entry !== "" && matches(entry.toLowerCase(), url));
}

/**
 * Returns whether a NO_PROXY entry matches: `*`, `host` (with its subdomains), `.suffix` or
 * `*.suffix` (subdomains only), an address, a CIDR; with a port if the entry has one.
 */
function matches(entry: string, url: URL): boolean {
  if (entry === "*") return true;
  const host = hostOf(url).replace(/\.$/, "");
  if (entry.includes("/")) return inSubnet(host, entry);
  const { name, port } = splitPort(entry);
  if (port !== undefined && port !== portOf(url)) return false;
  if (isIP(host) !== 0 || isIP(name) !== 0) return host === name;
  const plain = name.replace(/\.$/, "");
  const suffix = plain.replace(/^\*?\./, "");
  return host.endsWith(`.${suffix}`) || (host === suffix && suffix === plain);
}

function inSubnet(host: string, cidr: string): boolean {
  const [network = "", bits = ""] = cidr.split("/");
  const family = isIP(network);
  if (
    family === 0 ||
    isIP(host) !== family ||
    !/^\d{1,3}$/.test(bits) ||
    Number(bits) > (family === 4 ? 32 : 128)
  ) {
    return false;
  }
  const subnet = new BlockList();
  subnet.addSubnet(network, Number(bits), familyOf(network));
  return subnet.check(host, familyOf(host));
}

function splitPort(entry: string): { readonly name: string; readonly port?: string } {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(entry) ?? [];
  return { name: bracketed ?? plain ?? entry, ...(port !== undefined && { port }) };
}

/** Returns the port, or the default of the scheme. */
export function portOf(url: URL): string {
  return url.port || (url.protocol === "http:" ? "80" : "443");
}

/** Returns the error for a tunnel to `target` that failed. It names the proxy. */
export function tunnelError(error: Error, proxy: URL, target: string): Error {
  const name = nameOf(proxy);
  const status = Number(/^Bad response: (\d+)$/.exec(error.message)?.[1]);
  if (error.message === "Proxy timeout")
    return failed(`${name} opened no tunnel to ${target} in time`, target, "ETIMEDOUT");
  if (status) return proxyAnswer(proxy, target, status, "ECONNREFUSED");
  if (hasCode(error, "ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "ETIMEDOUT", "EAI_AGAIN", "EPIPE"))
    return failed(`${name}: ${error.message}`, target, "code" in error ? String(error.code) : "");
  return error;
}

/**
 * Returns whether the proxy gave this answer to a plain http request, and not the server behind it.
 * Proxies add `Via` to what they pass on as well, so it counts only if nothing else says what the
 * answer is. HEAD asks what only saves work: there an answer counts only if it says that it is the
 * proxy's.
 */
export function isProxyAnswer(
  { method }: HttpRequest,
  { statusCode = 0, headers }: IncomingMessage,
): boolean {
  if (statusCode === 407) return true;
  if (statusCode !== 403 && statusCode < 500) return false;
  if (Object.keys(headers).some((name) => /^(?:proxy-(?!connection)|x-squid-error$)/.test(name))) return true;
  const type = headers["content-type"];
  return method !== "HEAD" && (type === undefined ? headers.via !== undefined : /^text\/html\b/i.test(type));
}

/**
 * Returns the error for an answer of the proxy. A refusal is final; a failure may be retried, and
 * has this `code`. `words`: what the proxy says, such as the title of its page.
 */
export function proxyAnswer(proxy: URL, target: string, status: number, code: string, words = ""): Error {
  const name = nameOf(proxy);
  const said = words === "" ? "" : `: ${words}`;
  if (status >= 500 || status === 408 || status === 429)
    return failed(`${name} answered ${status} for ${target}${said}`, target, code);
  const asks = status === 407;
  const why = asks ? "it wants a user name and password" : `status ${status}${said}`;
  const message = `${name} refused a connection to ${target} (${why})`;
  return new LambdaPackError("REGISTRY_UNREACHABLE", message, {
    hint: asks
      ? "put them into HTTPS_PROXY or HTTP_PROXY: http://user:password@host:port"
      : `allow the host in the proxy, or name it in NO_PROXY to go there directly: NO_PROXY=${hostIn(target)}`,
  });
}

/** Returns the host to which a proxy failed to connect; undefined for other errors. */
export function hostBehindProxy(error: Error): string | undefined {
  return "behindProxy" in error ? String(error.behindProxy) : undefined;
}

function failed(message: string, target: string, code: string): Error {
  return Object.assign(new Error(message), { code, behindProxy: hostIn(target) });
}

function hostIn(target: string): string {
  return target.replace(/:\d+$/, "");
}

function nameOf(proxy: URL): string {
  return `the proxy ${proxy.protocol}//${proxy.host}`;
}

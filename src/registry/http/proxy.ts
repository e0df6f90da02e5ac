import { BlockList, isIP } from "node:net";
import { LambdaPackError } from "../../errors.ts";

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

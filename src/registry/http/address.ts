import { BlockList, isIP } from "node:net";
import { LambdaPackError } from "../../errors.ts";
import { redactUrl } from "../errors/redact.ts";
import { familyOf, hostOf, isLoopback, portOf } from "./proxy.ts";

/**
 * `forbidden`: link-local, metadata services, unspecified, multicast, reserved. No registry has
 * such an address.
 */
type AddressKind = "public" | "private" | "loopback" | "forbidden";

/**
 * IANA's special-purpose address ranges. 192.0.0.192, 100.100.100.200, 168.63.129.16 and
 * fd00:ec2::254 are metadata services of clouds.
 */
const FORBIDDEN = [
  ...["0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.88.99.0/24", "100.100.100.200/32"],
  ...["168.63.129.16/32", "224.0.0.0/4", "240.0.0.0/4", "fd00:ec2::254/128", "2001::/23"],
];
/** 198.18.0.0/15 is for benchmarks; some VPN clients resolve every name to it. */
const INTERNAL = [
  ...["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15", "fc00::/7"],
];
/** The only IPv6 range assigned for the internet (RFC 4291 2.4). */
const GLOBAL_IPV6 = ["2000::/3"];

const lists = new Map<readonly string[], BlockList>();

/** A list is created on first use: the three take 5 ms, and most registries never need them. */
function isIn(subnets: readonly string[], address: string): boolean {
  const list = lists.get(subnets) ?? new BlockList();
  for (const subnet of lists.has(subnets) ? [] : subnets) {
    const [network = "", bits] = subnet.split("/");
    list.addSubnet(network, Number(bits), familyOf(network));
  }
  lists.set(subnets, list);
  return list.check(address, familyOf(address));
}

/**
 * Returns the kind of an IP address. An IPv4 address inside an IPv6 one (mapped, SIIT, NAT64, 6to4)
 * counts as itself.
 */
export function addressKind(address: string): AddressKind {
  const plain = embeddedIPv4(address) ?? address;
  if (isIn(FORBIDDEN, plain)) return "forbidden";
  if (isLoopback(plain)) return "loopback";
  if (isIn(INTERNAL, plain)) return "private";
  return isIP(plain) === 6 && !isIn(GLOBAL_IPV6, plain) ? "forbidden" : "public";
}

/**
 * IPv6 addresses that contain an IPv4 one: RFC 4291 2.5.5, RFC 2765 2.1 (SIIT), RFC 6052 and 8215
 * (NAT64), RFC 3056 (6to4).
 */
const EMBEDDING =
  /^(?:0:0:0:0:0:(?:0|ffff)|0:0:0:0:ffff:0|64:ff9b:0:0:0:0|64:ff9b:1:[0-9a-f]+:[0-9a-f]+:[0-9a-f]+|2002):(.*)$/;

function embeddedIPv4(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined;
  const full = expand(address);
  if (/^(?:0:){7}[01]$/.test(full)) return undefined; // unspecified and loopback
  const rest = EMBEDDING.exec(full)?.[1];
  const [high, low] = rest?.split(":").map((group) => Number.parseInt(group, 16)) ?? [];
  if (high === undefined || low === undefined) return undefined;
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** Expands an IPv6 address to eight groups. The URL parser has converted a dotted tail. */
function expand(address: string): string {
  const [head = "", tail] = hostOf(new URL(`http://[${address.replace(/%.*$/, "")}]`)).split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const [before, after] = [groups(head), groups(tail ?? "")];
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array<string>(zeros).fill("0"), ...after].join(":");
}

const METADATA_NAMES = new Set(["metadata", "metadata.google.internal", "instance-data"]);

/** Returns whether a URL's host is such a name or address by its text. */
function isForbidden(url: URL): boolean {
  const host = hostOf(url).replace(/\.$/, "");
  return isIP(host) === 0 ? METADATA_NAMES.has(host) : addressKind(host) === "forbidden";
}

/**
 * Returns http for loopback hosts and for those the user named, https for all others. `host` may
 * include a port.
 */
export function schemeOf(host: string, insecureRegistries: readonly string[] = []): "http:" | "https:" {
  const name = host.replace(/:\d+$/, "");
  const local = isLoopback(name.replace(/^\[|\]$/g, ""));
  return local || insecureRegistries.includes(host) || insecureRegistries.includes(name) ? "http:" : "https:";
}

export function sameHostAndPort(a: URL, b: URL): boolean {
  return a.hostname === b.hostname && portOf(a) === portOf(b);
}

/**
 * Resolves a Location or redirect that `registry` (as the user named it) sent, against the
 * requested URL. Authorization may be sent there only if {@link sameOrigin} holds.
 * @throws REGISTRY_ANSWER for schemes other than http and https, for https to http, and for
 * addresses that {@link refusalReason} refuses.
 */
export function followLocation(location: string, asked: URL, registry: URL): URL {
  const target = URL.canParse(location, asked.href) ? new URL(location, asked) : undefined;
  if (!target) throw refusal(registry, location, "it is not a URL");
  const why = refusalReason(target, registry);
  if (why !== undefined) throw refusal(registry, target, why);
  if (asked.protocol === "https:" && target.protocol === "http:") {
    throw refusal(registry, target, "it leaves https for http");
  }
  return target;
}

/** Returns whether a request to `target` may carry the credentials of `registry`. */
export function sameOrigin(target: URL, registry: URL): boolean {
  return target.origin === registry.origin;
}

/**
 * Returns why an answer of `registry` may not lead to `target`; undefined: it may. Private addresses
 * are judged when the host is resolved (lookup.ts).
 */
export function refusalReason(target: URL, registry: URL): string | undefined {
  if (target.protocol !== "https:" && target.protocol !== "http:") return "it is neither https nor http";
  if (target.username !== "" || target.password !== "") return "it carries a user name";
  if (registry.protocol === "https:" && target.protocol === "http:") return "it leaves https for http";
  return !sameHostAndPort(target, registry) && isForbidden(target) ? FORBIDDEN_REASON : undefined;
}

export const FORBIDDEN_REASON = "it is a link-local, metadata or unspecified address";

export function refusal(registry: URL, target: string | URL, why: string): LambdaPackError {
  return new LambdaPackError(
    "REGISTRY_ANSWER",
    `the registry ${registry.host} refers to ${redactUrl(target)}, which is refused: ${why}`,
    { hint: refusalHint(target, why) },
  );
}

function refusalHint(target: string | URL, why: string): string {
  if (target instanceof URL && /\b(private|loopback) address\b/.test(why))
    return `if that host belongs to the registry, allow it: --allow-private ${target.hostname}`;
  return "if this registry is right to do so, ask its operator to serve it over https on its own host";
}

import { isIP } from "node:net";
import { hostKind, sameHostAndPort, whyNot } from "../http/address.ts";
import { hostOf } from "../http/proxy.ts";

/** What a token server may be sent: the registry's credentials, only an anonymous request, or nothing. */
export type RealmTrust =
  | { readonly send: "credentials" | "anonymous" }
  | { readonly send: "nothing"; readonly why: string };

/** Token servers known to serve registries of another name (lscr.io leads to ghcr.io, dhi.io to docker.io). */
const KNOWN_REALMS: Readonly<Record<string, readonly string[]>> = {
  "auth.docker.io": ["docker.io", "dhi.io"],
};

/** Below these, neighbours are strangers. */
const SHARED =
  /(?:^|\.)(?:amazonaws\.com(?:\.cn)?|azurecr\.io|pkg\.dev|github\.io|gitlab\.io|cloudfront\.net|run\.app|herokuapp\.com|azurewebsites\.net|windows\.net|ngrok\.io|ngrok\.app|trycloudflare\.com|nip\.io|sslip\.io)$/;

/**
 * Whoever controls `realm` receives what is sent there (ggcr#2193 and its kin): the registry's credentials go to the same host,
 * to a host of the same domain, or to a known token server; a stranger over https is asked anonymously.
 */
export function realmTrust(realm: URL, registry: URL): RealmTrust {
  const why = whyNot(realm, registry);
  if (why !== undefined) return { send: "nothing", why };
  const known = KNOWN_REALMS[realm.hostname]?.some((domain) => isBelow(registry.hostname, domain)) ?? false;
  return { send: known || isNeighbour(realm, registry) ? "credentials" : "anonymous" };
}

function isNeighbour(realm: URL, registry: URL): boolean {
  if (sameHostAndPort(realm, registry) || realm.hostname === registry.hostname) return true;
  if (hostKind(registry) !== "public" && hostKind(registry) === hostKind(realm)) return true;
  const domain = domainOf(registry);
  return domain !== undefined && isBelow(realm.hostname, domain);
}

function isBelow(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}

/** What one owner holds: two labels, three below a country's second level (example.co.uk); none where strangers share it. */
function domainOf(url: URL): string | undefined {
  const host = hostOf(url).replace(/\.$/, "");
  const labels = host.split(".");
  if (isIP(host) !== 0 || labels.length < 2 || SHARED.test(host)) return undefined;
  const [second = "", top = ""] = labels.slice(-2);
  const count = top.length === 2 && second.length <= 3 ? 3 : 2;
  return labels.length < count ? undefined : labels.slice(-count).join(".");
}

import { whyNot } from "../http/address.ts";
import { haveOneOwner } from "./owner.ts";

/** What a token server may be sent: the registry's credentials, only an anonymous request, or nothing. */
export type RealmTrust =
  | { readonly send: "credentials" | "anonymous" }
  | { readonly send: "nothing"; readonly why: string };

/** Token servers known to serve registries of another name (lscr.io leads to ghcr.io, dhi.io to docker.io). */
const KNOWN_REALMS: Readonly<Record<string, readonly string[]>> = {
  "auth.docker.io": ["docker.io", "dhi.io"],
};

/**
 * Decides what a token server that a registry names may be sent. The registry's credentials go to the registry's own host, to a
 * host whose domain has the same owner, and to a known token server; any other one over https is asked anonymously (ggcr#2193).
 */
export async function realmTrust(realm: URL, registry: URL): Promise<RealmTrust> {
  const why = whyNot(realm, registry);
  if (why !== undefined) return { send: "nothing", why };
  const known = KNOWN_REALMS[realm.hostname]?.some((domain) => isBelow(registry.hostname, domain)) ?? false;
  const trusted = known || realm.hostname === registry.hostname || (await haveOneOwner(realm, registry));
  return { send: trusted ? "credentials" : "anonymous" };
}

function isBelow(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}

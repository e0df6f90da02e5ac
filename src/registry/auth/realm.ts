import { refusalReason } from "../http/address.ts";
import { hostOf } from "../http/proxy.ts";

/** What a token server may get: the registry's credentials, an anonymous request, or nothing. */
type RealmTrust =
  | { readonly send: "credentials" | "anonymous" }
  | { readonly send: "nothing"; readonly why: string };

/**
 * Token servers known to serve registries in other domains. Docker Hub:
 * docs.docker.com/reference/api/registry/auth, and dhi.io, Docker's hardened images. Scaleway: the
 * realm of rg.<region>.scw.cloud is at api.scaleway.com.
 */
const KNOWN_REALMS: Readonly<Record<string, readonly string[]>> = {
  "auth.docker.io": ["docker.io", "dhi.io"],
  "api.scaleway.com": ["scw.cloud"],
};

/**
 * Decides what may be sent to a token server that a registry names. The registry's credentials may
 * go to its own host, to a host whose domain has the same owner, to a known token server, and to
 * the hosts in `trusted`, which the user named. Any other host gets an anonymous request
 * (ggcr#2193).
 */
export async function realmTrust(
  realm: URL,
  registry: URL,
  trusted: readonly string[] = [],
): Promise<RealmTrust> {
  const why = refusalReason(realm, registry);
  if (why !== undefined) return { send: "nothing", why };
  const isKnown =
    realm.hostname === registry.hostname ||
    trusted.some((host) => host.toLowerCase() === realm.hostname || host.toLowerCase() === realm.host) ||
    (KNOWN_REALMS[realm.hostname]?.some((domain) => isBelow(registry.hostname, domain)) ?? false);
  return { send: isKnown || (await haveOneOwner(realm, registry)) ? "credentials" : "anonymous" };
}

function isBelow(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}

/**
 * Domains in which each customer gets a host, and that the public suffix list lacks as of tldts
 * 7.6: each host in them counts as a separate owner.
 */
const SHARED = new Set([
  ...["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "on.aws", "on.amazonwebservices.com.cn"],
  ...["azurecr.io", "azurecr.cn", "azurecr.us", "cloudapp.azure.com", "azurecontainerapps.io", "windows.net"],
  ...["pkg.dev", "jfrog.io", "cloudsmith.io", "tencentcloudcr.com", "oraclecloud.com", "backblazeb2.com"],
  ...[
    "nip.io",
    "sslip.io",
    "xip.io",
    "loca.lt",
    "lhr.life",
    "localhost.run",
    "serveo.net",
    "devtunnels.ms",
    "gitpod.io",
  ],
  ...["github.dev", "stackblitz.io", "webcontainer.io", "glitch.me", "koyeb.app", "kinsta.app"],
  ...["b-cdn.net", "cdn77.org", "fastly.net", "wasabisys.com", "storage.googleapis.com", "wordpress.com"],
]);

/** Returns whether both hosts are in one domain that has one owner. */
async function haveOneOwner(one: URL, other: URL): Promise<boolean> {
  const domain = await ownedDomain(one);
  return domain !== undefined && domain === (await ownedDomain(other));
}

/**
 * Returns the domain in which all hosts have one owner: one label more than the public suffix,
 * private suffixes included. undefined if the host owns only itself: an IP address, localhost, a
 * single label, a public suffix, a host in {@link SHARED}.
 */
async function ownedDomain(url: URL): Promise<string | undefined> {
  const host = hostOf(url).replace(/\.$/, "");
  const labels = host.split(".");
  if (labels.some((_, index) => SHARED.has(labels.slice(index).join(".")))) return undefined;
  // Loading the list takes 60 ms, and most registries are their own token server.
  const { getDomain } = await import("tldts");
  return getDomain(host, { allowPrivateDomains: true }) ?? undefined;
}

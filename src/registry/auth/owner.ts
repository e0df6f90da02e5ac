import { hostOf } from "../http/proxy.ts";

/**
 * Domains that give each customer a host, and that the public suffix list lacks as of tldts 7.6: hosts below them are each
 * an owner of their own.
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

/** Tells whether two hosts are in one domain that has one owner. An IP address, localhost and a single label are in none. */
export async function haveOneOwner(one: URL, other: URL): Promise<boolean> {
  const domain = await ownedDomain(one);
  return domain !== undefined && domain === (await ownedDomain(other));
}

/**
 * The domain below which all hosts have one owner: one label more than the public suffix list has, private suffixes included.
 * undefined where the host owns only itself: an IP address, localhost, one label, a public suffix, a host in {@link SHARED}.
 */
async function ownedDomain(url: URL): Promise<string | undefined> {
  const host = hostOf(url).replace(/\.$/, "");
  const labels = host.split(".");
  if (labels.some((_, index) => SHARED.has(labels.slice(index).join(".")))) return undefined;
  // Loading the list takes 60 ms, and most registries are their own token server.
  const { getDomain } = await import("tldts");
  return getDomain(host, { allowPrivateDomains: true }) ?? undefined;
}

import { lookup } from "node:dns";
import { lookup as lookupName } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { addressKind, FORBIDDEN_REASON, refusal, sameHostAndPort } from "./address.ts";
import { hostOf, isLoopback } from "./proxy.ts";

/** An address that a registry's answer named. */
export interface GuardedTarget {
  readonly target: URL;
  /** The registry whose answer named it. */
  readonly registry: URL;
  /** Hosts that may have private addresses, with their subdomains. */
  readonly privateHosts: readonly string[];
}

/**
 * Returns a lookup function that resolves the host of a target and refuses addresses that the
 * answer may not lead to. It checks the addresses that the connection then uses, so that DNS
 * rebinding cannot replace them in between.
 */
export function guardedLookup(guarded: GuardedTarget): LookupFunction {
  const { target, registry } = guarded;
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return done(error, "");
      const addresses = found.map(({ address }) => address);
      void refusalReasonAddresses(addresses, guarded).then((why) => {
        if (why !== undefined) return done(refusal(registry, target, `its name resolves to ${why}`), "");
        if (options.all) return done(null, found);
        return done(null, found[0]?.address ?? "", found[0]?.family);
      });
    });
  };
}

/**
 * Checks a target that is an IP address or localhost, for which no lookup is made. `isProxied`: the
 * proxy resolves the registry's name, so its addresses are not known here and count as public.
 * @throws REGISTRY_ANSWER.
 */
export async function checkLiteral(guarded: GuardedTarget, isProxied: boolean): Promise<void> {
  const { target, registry } = guarded;
  const host = hostOf(target);
  if (sameHostAndPort(target, registry) || (isIP(host) === 0 && !isLoopback(host))) return;
  const addresses = isIP(host) === 0 ? ["127.0.0.1"] : [host];
  const why = isProxied
    ? refusalReasonResolved(addresses, [], isPrivateHost(guarded))
    : await refusalReasonAddresses(addresses, guarded);
  if (why !== undefined) throw refusal(registry, target, why.replace(/^[^ ]+: /, ""));
}

/**
 * Returns why a host with these addresses is refused. A private or loopback address is allowed only
 * if the registry has one of the same kind, or a loopback address. `isAllowed`: the user named the
 * host, so only forbidden addresses are refused.
 */
export function refusalReasonResolved(
  addresses: readonly string[],
  registryAddresses: readonly string[],
  isAllowed = false,
): string | undefined {
  const home = registryAddresses.map(addressKind);
  for (const address of addresses) {
    const kind = addressKind(address);
    if (kind === "forbidden") return `${address}: ${FORBIDDEN_REASON}`;
    if (isAllowed || kind === "public" || home.some((own) => own === "loopback" || own === kind)) continue;
    return `${address}: it is a ${kind} address and the registry is not`;
  }
  return undefined;
}

async function refusalReasonAddresses(
  addresses: readonly string[],
  guarded: GuardedTarget,
): Promise<string | undefined> {
  const isAllowed = isPrivateHost(guarded);
  const why = refusalReasonResolved(addresses, [], isAllowed);
  return why === undefined
    ? undefined
    : refusalReasonResolved(addresses, await addressesOf(guarded.registry), isAllowed);
}

function isPrivateHost({ target, privateHosts }: GuardedTarget): boolean {
  const host = hostOf(target).replace(/\.$/, "");
  return privateHosts.some((name) => host === name.toLowerCase() || host.endsWith(`.${name.toLowerCase()}`));
}

/**
 * Returns the registry's addresses. If its name does not resolve, only public targets are allowed.
 */
async function addressesOf(registry: URL): Promise<readonly string[]> {
  const host = hostOf(registry);
  if (isIP(host) !== 0) return [host];
  const found = await lookupName(host, { all: true }).catch(() => []);
  return found.map(({ address }) => address);
}

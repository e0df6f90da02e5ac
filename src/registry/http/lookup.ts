import { lookup } from "node:dns";
import { lookup as lookupName } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { refusal, whyNotResolved } from "./address.ts";
import { hostOf } from "./proxy.ts";

/**
 * Resolves the host of `target`, which an answer of `registry` named, and refuses addresses the answer may not lead to.
 * The check is made on the very addresses the connection then uses, so a name cannot change its mind in between (DNS rebinding).
 */
export function guardedLookup(target: URL, registry: URL): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return done(error, "");
      void verdict(
        found.map(({ address }) => address),
        registry,
      ).then((why) => {
        if (why !== undefined) return done(refusal(registry, target, `its name resolves to ${why}`), "");
        if (options.all) return done(null, found);
        return done(null, found[0]?.address ?? "", found[0]?.family);
      });
    });
  };
}

async function verdict(addresses: readonly string[], registry: URL): Promise<string | undefined> {
  const why = whyNotResolved(addresses, []);
  return why === undefined ? undefined : whyNotResolved(addresses, await addressesOf(registry));
}

/** None where the name does not resolve: then only public addresses will do. */
async function addressesOf(registry: URL): Promise<readonly string[]> {
  const host = hostOf(registry);
  if (isIP(host) !== 0) return [host];
  const found = await lookupName(host, { all: true }).catch(() => []);
  return found.map(({ address }) => address);
}

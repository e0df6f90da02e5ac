import type { Fault, FaultRequest } from "../../ecr/http/faults.ts";
import type { LeafOptions } from "../../http/certificates.ts";
import type { ProxyFault } from "../../http/proxy.ts";
import type { LookedUp } from "../../http/resolver.ts";

/**
 * Trouble on the way, before there is a request: to a `look-up` of the registry's name (of the proxy's, where there is one),
 * to a `tunnel` through the proxy, to a TLS `handshake` with the registry.
 */
export type Way =
  | { readonly do: "look-up"; readonly ends: LookedUp }
  | { readonly do: "tunnel"; readonly fault: ProxyFault }
  | { readonly do: "certificate"; readonly leaf: LeafOptions };

export type Trouble = Fault | Way;
export type TroublePlan = (request: FaultRequest) => Trouble | undefined;

export function isWay(trouble: Trouble): trouble is Way {
  return ["look-up", "tunnel", "certificate"].includes(trouble.do);
}

/** The trouble of a plan that comes to requests. */
export function faultsOf(plan: TroublePlan): (request: FaultRequest) => Fault | undefined {
  return (request) => {
    const trouble = plan(request);
    return trouble === undefined || isWay(trouble) ? undefined : trouble;
  };
}

/** Asks a plan at each look-up, tunnel and handshake. */
export function asker(plan: TroublePlan): (kind: string, host: string) => Way | undefined {
  const counts = new Map<string, number>();
  return (kind, host) => {
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    const trouble = plan({ method: "", host, path: "", kind, count });
    return trouble !== undefined && isWay(trouble) ? trouble : undefined;
  };
}

import { RegistryError } from "../../errors.ts";
import type { Http } from "../http/http.ts";
import { parseChallenges } from "./challenge.ts";

export interface BearerScheme {
  readonly kind: "bearer";
  readonly realm: URL;
  readonly service: string | undefined;
  /** What the registry wants asked for beside what we know. */
  readonly scopes: readonly string[];
}

/** How a registry wants to be shown credentials. `open`: it asks for none. */
export type Scheme = { readonly kind: "open" } | { readonly kind: "basic" } | BearerScheme;

/**
 * Asks the registry's front door (distribution-spec end-1). Anything but a challenge means open: what is behind may still challenge.
 * @throws RegistryError when it is too busy or broken to tell.
 */
export async function askScheme({
  http,
  base,
}: {
  readonly http: Http;
  readonly base: URL;
}): Promise<Scheme> {
  const response = await http.send({ method: "GET", url: new URL("/v2/", base) });
  response.discard();
  const { status } = response;
  if (status === 429 || status >= 500) {
    const hint = "the registry has trouble: run it again later";
    throw new RegistryError("REGISTRY_ANSWER", `${base.host} answered ${status} to /v2/`, { status, hint });
  }
  return (status === 401 && schemeFrom(response.headerLines("www-authenticate"))) || { kind: "open" };
}

/** The first challenge that can be met: Basic, or Bearer with a realm that is an absolute URL. Others (Negotiate) are passed over. */
export function schemeFrom(lines: readonly string[]): Scheme | undefined {
  for (const { scheme, parameters } of parseChallenges(lines)) {
    if (scheme === "basic") return { kind: "basic" };
    const realm = parameters["realm"];
    if (scheme !== "bearer" || realm === undefined || !URL.canParse(realm)) continue;
    const scopes = parameters["scope"]?.split(" ").filter((scope) => scope !== "") ?? [];
    return { kind: "bearer", realm: new URL(realm), service: parameters["service"], scopes };
  }
  return undefined;
}

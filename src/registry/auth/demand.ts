import { LambdaPackError } from "../../errors.ts";
import { refusal } from "../http/address.ts";
import type { Http } from "../http/http.ts";
import type { Credentials } from "./credentials.ts";
import { realmTrust } from "./realm.ts";
import type { BearerScheme } from "./scheme.ts";
import { mergeScopes, readsOnly } from "./scope.ts";
import { fetchToken, type Token } from "./token.ts";

/** A token that is needed, and from whom. */
export interface Demand {
  readonly scheme: BearerScheme;
  readonly scopes: readonly string[];
  /** What the registry itself asked for beside them. */
  readonly wanted: readonly string[];
}

/**
 * A token as far as the realm may be trusted: a stranger is asked anonymously, an insider's address not at all.
 * @throws REGISTRY_ANSWER when credentials would be needed and the realm may not have them, and what {@link fetchToken} throws.
 */
export async function meet(
  { scheme, scopes, wanted }: Demand,
  credentials: Credentials | undefined,
  { http, base }: { readonly http: Http; readonly base: URL },
): Promise<Token> {
  const { realm, service } = scheme;
  const trust = await realmTrust(realm, base);
  if (trust.send === "nothing") throw refusal(base, realm, trust.why);
  const trusted = trust.send === "credentials";
  if (!trusted && credentials && !readsOnly(scopes)) throw strangeRealm(realm, base);
  const shown = trusted ? credentials : undefined;
  return fetchToken(http, {
    realm,
    service,
    scopes: order(scopes, wanted),
    credentials: shown,
    registry: base,
  });
}

/** What the registry missed comes first: some token servers grant only the first scope (ggcr, transport/bearer.go). */
function order(scopes: readonly string[], wanted: readonly string[]): readonly string[] {
  const merged = mergeScopes([...scopes, ...wanted]);
  const own = mergeScopes(scopes);
  return [
    ...merged.filter((scope) => !own.includes(scope)),
    ...merged.filter((scope) => own.includes(scope)),
  ];
}

function strangeRealm(realm: URL, base: URL): LambdaPackError {
  return new LambdaPackError(
    "REGISTRY_ANSWER",
    `the registry ${base.host} wants its credentials sent to ${realm.host}, which is another owner's: they were not sent`,
    { hint: "if the two belong together, ask the registry's operator for a token server of the same domain" },
  );
}

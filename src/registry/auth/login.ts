import type { OnEvent } from "../../events.ts";
import type { CredentialSource, Credentials } from "./credentials.ts";
import { readsOnly } from "./scope.ts";
import { authorizationOf } from "./token.ts";

/** As whom the user goes to one registry. */
export interface Login {
  /** What to show for these scopes; undefined: as nobody. */
  credentials(scopes: readonly string[], signal?: AbortSignal): Promise<Credentials | undefined>;
  /**
   * These were refused. true: {@link credentials} now gives others, or nobody when only reading is asked for, which a public registry grants
   * anybody: a login that has gone stale must not be worse than none. false: there is nothing better.
   */
  refused(credentials: Credentials, scopes: readonly string[], signal?: AbortSignal): Promise<boolean>;
}

export interface LoginOptions {
  readonly registry: string;
  readonly repository: string;
  readonly credentials: CredentialSource;
  readonly onEvent?: OnEvent | undefined;
}

export function createLogin({ registry, repository, credentials: source, onEvent }: LoginOptions): Login {
  let nobody = false;
  const goAsNobody = ({ from }: Credentials): void => {
    if (nobody) return;
    nobody = true;
    onEvent?.({
      type: "warning",
      message: `${registry} refused the credentials from ${from}; reading goes on without them`,
      hint: `log in again, or forget them: docker logout ${registry}`,
    });
  };
  return {
    // Who writes must be told that the login is stale, whatever was read before.
    credentials: async (scopes, signal) =>
      nobody && readsOnly(scopes) ? undefined : source.get(registry, repository, { signal }),
    async refused(credentials, scopes, signal) {
      const renewed = await source.get(registry, repository, { refused: true, signal });
      if (renewed && authorizationOf(renewed) !== authorizationOf(credentials)) return true;
      if (!readsOnly(scopes)) return false;
      goAsNobody(credentials);
      return true;
    },
  };
}

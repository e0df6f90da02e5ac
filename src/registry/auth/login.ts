import { hasCode, messageOf } from "../../errors.ts";
import type { OnEvent } from "../../events.ts";
import type { CredentialSource, Credentials } from "./credentials.ts";
import { readsOnly } from "./scope.ts";
import { authorizationOf } from "./token.ts";

/** The user's login to one registry. */
export interface Login {
  /** Returns the credentials for these scopes; undefined: none are sent. */
  credentials(scopes: readonly string[], signal?: AbortSignal): Promise<Credentials | undefined>;
  /**
   * Records that these credentials were refused. Returns true if {@link Login.credentials} now
   * returns others, or none because the scopes only read, which a public registry allows without a
   * login. Returns false if there is no alternative.
   */
  refused(credentials: Credentials, scopes: readonly string[], signal?: AbortSignal): Promise<boolean>;
  /**
   * The error of the configured helper, because of which no credentials are sent. It is reported
   * only if the registry requires them.
   */
  readonly helperError: unknown;
}

export interface LoginOptions {
  readonly registry: string;
  readonly repository: string;
  readonly credentials: CredentialSource;
  readonly onEvent?: OnEvent | undefined;
}

export function createLogin({ registry, repository, credentials: source, onEvent }: LoginOptions): Login {
  let isAnonymous = false;
  let helperError: unknown;
  const readAnonymously = (message: string, hint: string): undefined => {
    if (!isAnonymous) onEvent?.({ type: "warning", message, hint });
    isAnonymous = true;
  };
  return {
    get helperError() {
      return helperError;
    },
    async credentials(scopes, signal) {
      const canBeAnonymous = readsOnly(scopes);
      // A push must report an expired login even if earlier reads went on without it.
      if (isAnonymous && canBeAnonymous) return undefined;
      try {
        return await source.get(registry, repository, { signal });
      } catch (error) {
        if (!canBeAnonymous || !hasCode(error, "CREDENTIALS_HELPER")) throw error;
        // docker too reads public images when its helper is missing (docker/for-win#12273).
        helperError = error;
        const hint = `repair the helper, or log in: docker login ${registry}`;
        return readAnonymously(`${messageOf(error)}; continuing without a login`, hint);
      }
    },
    async refused(credentials, scopes, signal) {
      const renewed = await source.get(registry, repository, { refused: true, signal });
      if (renewed && authorizationOf(renewed) !== authorizationOf(credentials)) return true;
      if (!readsOnly(scopes)) return false;
      readAnonymously(
        `${registry} refused the credentials from ${credentials.from}; continuing without them`,
        `log in again, or forget them: docker logout ${registry}`,
      );
      return true;
    },
  };
}

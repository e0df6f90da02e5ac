/**
 * Credentials for a registry. `from` tells the user where they were found: "Amazon ECR",
 * "docker-credential-pass".
 */
export type Credentials =
  | { readonly kind: "basic"; readonly username: string; readonly password: string; readonly from: string }
  /**
   * An OAuth2 refresh token: `identitytoken` in docker's config, or the secret that a helper
   * returns with the user name `<token>`.
   */
  | { readonly kind: "identity"; readonly token: string; readonly from: string }
  /** Sent unchanged: `registrytoken` in docker's config. */
  | { readonly kind: "bearer"; readonly token: string; readonly from: string };

export interface CredentialRequest {
  /** true: the registry refused the credentials returned last, so they are looked up again. */
  readonly refused?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A source of credentials. It caches what it finds, because it is asked before every request. */
export interface CredentialSource {
  /**
   * Returns the credentials for `registry` (host and port, `docker.io` for Docker Hub), which may
   * differ by `repository`. undefined: this source has none. A configured helper that fails is an
   * error, never "none" (docker CLI CVE-2021-41092).
   * @throws CREDENTIALS_HELPER, CREDENTIALS_INVALID.
   */
  get(registry: string, repository: string, request?: CredentialRequest): Promise<Credentials | undefined>;
}

/** Returns a source that asks `sources` in order and takes the first credentials. */
export function firstOf(...sources: readonly CredentialSource[]): CredentialSource {
  return {
    async get(registry, repository, request) {
      for (const source of sources) {
        const found = await source.get(registry, repository, request);
        if (found) return found;
      }
      return undefined;
    },
  };
}

/**
 * Returns a source that asks `second` where `first` has no credentials or fails. It remembers the
 * failure until credentials are refused, so that a failing source is not asked at every request.
 * Where `second` has none either, it throws the error of `first`.
 */
export function withFallback(first: CredentialSource, second: CredentialSource): CredentialSource {
  const failing = new Set<string>();
  return {
    async get(registry, repository, request) {
      if (request?.refused) failing.delete(registry);
      if (failing.has(registry)) return second.get(registry, repository, request);
      try {
        const found = await first.get(registry, repository, request);
        return found ?? (await second.get(registry, repository, request));
      } catch (error) {
        request?.signal?.throwIfAborted();
        const found = await second.get(registry, repository, request);
        if (!found) throw error;
        failing.add(registry);
        return found;
      }
    },
  };
}

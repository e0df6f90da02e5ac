/**
 * Credentials for a registry. `from` tells the user where they were found: "Amazon ECR",
 * "docker-credential-pass".
 */
export type Credentials =
  | { readonly kind: "basic"; readonly username: string; readonly password: string; readonly from: string }
  /**
   * An OAuth2 refresh token: `identitytoken` of docker's config, or a helper's user name `<token>`.
   */
  | { readonly kind: "identity"; readonly token: string; readonly from: string }
  /** Sent as it is: `registrytoken` of docker's config. */
  | { readonly kind: "bearer"; readonly token: string; readonly from: string };

export interface CredentialRequest {
  /** true: the ones returned last were refused, so they are looked up again. */
  readonly refused?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Where credentials come from. It remembers what it found: it is asked before every request. */
export interface CredentialSource {
  /**
   * Returns the credentials for `registry` (host and port, `docker.io` for Docker Hub), with
   * `repository` where namespaces may differ. undefined: this source knows none. A configured
   * helper that fails is an error, never "none" (docker CLI CVE-2021-41092).
   * @throws CREDENTIALS_HELPER, CREDENTIALS_INVALID.
   */
  get(registry: string, repository: string, request?: CredentialRequest): Promise<Credentials | undefined>;
}

/** The first source that knows credentials. */
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
 * `second` where `first` knows none or fails; remembered until what was handed out is refused, so
 * that a failing source is not asked at every request. When `second` knows none either, the failure
 * of `first` is the answer.
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

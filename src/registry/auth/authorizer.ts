import { abortable } from "../../async/abortable.ts";
import { createSingleFlight, loadOnce } from "../../async/single-flight.ts";
import { hasCode, LambdaPackError, messageOf } from "../../errors.ts";
import type { OnEvent } from "../../events.ts";
import type { HttpResponse } from "../http/http.ts";
import { type BearerScheme, chooseScheme, mergeScopes, readsOnly, type Scheme } from "./challenge.ts";
import type { CredentialSource, Credentials } from "./credentials.ts";
import { authorizationOf, requestToken, type Token, type TokenDemand, type TokenOptions } from "./token.ts";

/** The parts of a refusal that an authorizer uses. `authorization` is the refused request's. */
type RefusedResponse = Pick<HttpResponse, "status" | "headerLines"> &
  Partial<Pick<HttpResponse, "authorization">>;

interface AuthorizerOptions extends TokenOptions {
  readonly registry: string;
  readonly repository: string;
  readonly credentials: CredentialSource;
  readonly onEvent?: OnEvent | undefined;
  /** How the registry wants credentials, if that is known before it says so. */
  readonly scheme?: Scheme | undefined;
  /** Returns the current time in epoch milliseconds. */
  readonly now?: (() => number) | undefined;
}

/** A 403 for a token younger than this is a lack of permission: no token expires sooner. */
const EXPIRY_MS = 60_000;
/** The fraction of a token's lifetime in which it is used. */
const USED_SHARE = 0.8;

interface KeptToken {
  readonly token: string;
  readonly until: number;
}

/** Produces Authorization headers for one registry. Send them to that registry's origin only. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #now: () => number;
  #scheme: Scheme | undefined;
  #hasAsked = false;
  #credentialsFrom: string | undefined;
  /** Requests that only read are sent without a login. */
  #isAnonymous = false;
  /** Why no credentials are sent. It is reported only if the registry requires them. */
  #helperError: unknown;
  /** Why credentials were not sent to the token server. */
  #withheld: LambdaPackError | undefined;
  readonly #tokens = new Map<string, KeptToken>();
  readonly #fetching = createSingleFlight<string>();
  /** The scopes that the registry asked for, by the scopes of the refused request. */
  readonly #wanted = new Map<string, readonly string[]>();
  /** When each header was first returned. */
  readonly #issuedAt = new Map<string, number>();
  /** The handling of each refused header and its scopes, shared by all requests that carried it. */
  readonly #challenges = new Map<string, Promise<boolean>>();

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#scheme = options.scheme;
  }

  /** Where the credentials that were sent last come from; undefined: none were sent. */
  get credentialsFrom(): string | undefined {
    return this.#credentialsFrom;
  }

  /**
   * Returns the Authorization header for a request with these scopes; undefined if the registry
   * has not asked for one, or there are no credentials.
   * @throws DENIED if the token server refuses, and any error of the network or the credential
   * source.
   */
  async authorization(scopes: readonly string[], signal?: AbortSignal): Promise<string | undefined> {
    const credentials = await this.#credentials(scopes, signal);
    // `registrytoken` in docker's config is sent before the registry asks.
    if (!this.#scheme && credentials?.kind !== "bearer") return undefined;
    const header = await abortable(this.#headerOf(credentials, scopes), signal);
    if (header !== undefined && !this.#issuedAt.has(header)) this.#issuedAt.set(header, this.#now());
    this.#credentialsFrom = header === undefined ? undefined : credentials?.from;
    return header;
  }

  /**
   * Handles a 401, or the 403 that some registries send for an expired token. Returns whether
   * {@link authorization} now returns another header, or a token that was requested again, so that
   * the request is worth sending again. The caller limits the number of attempts.
   */
  async handleChallenge(
    response: RefusedResponse,
    scopes: readonly string[],
    signal?: AbortSignal,
  ): Promise<boolean> {
    const issuedAt = this.#issuedAt.get(response.authorization ?? "") ?? Number.POSITIVE_INFINITY;
    if (response.status === 403 && this.#now() - issuedAt < EXPIRY_MS) return false;
    if (response.authorization !== undefined && this.#withheld) throw this.#withheld;
    const key = `${response.authorization ?? ""} ${keyOf(scopes)}`;
    const handling = loadOnce(this.#challenges, key, () => this.#applyChallenge(response, scopes));
    const hasNewToken = await abortable(handling, signal);
    // Some token servers give the same token again (GHCR), which the registry may accept this time.
    if ((await this.authorization(scopes, signal)) !== response.authorization || hasNewToken) return true;
    if (this.#helperError !== undefined) throw this.#helperError;
    return false;
  }

  /**
   * Asks the registry how it wants credentials, if there are any and it has not said yet: some
   * registries hide private repositories from an anonymous caller instead of answering 401. Returns
   * the same as {@link handleChallenge}.
   */
  async discover(scopes: readonly string[], signal?: AbortSignal): Promise<boolean> {
    if (this.#scheme || this.#hasAsked) return false;
    this.#hasAsked = true;
    const { http, base } = this.#options;
    if (!(await this.#credentials(scopes, signal))) return false;
    const response = await http.send({ method: "GET", url: new URL("/v2/", base), signal });
    response.discard();
    return response.status === 401 && this.handleChallenge(response, scopes, signal);
  }

  /** Returns the user's credentials; undefined: none are sent. */
  async #credentials(scopes: readonly string[], signal?: AbortSignal): Promise<Credentials | undefined> {
    const { credentials, registry, repository } = this.#options;
    // A push must report an expired login even if earlier reads went on without it.
    if (this.#isAnonymous && readsOnly(scopes)) return undefined;
    try {
      return await credentials.get(registry, repository, { signal });
    } catch (error) {
      if (!readsOnly(scopes) || !hasCode(error, "CREDENTIALS_HELPER")) throw error;
      // docker too reads public images when its helper is missing (docker/for-win#12273).
      this.#helperError = error;
      this.#readAnonymously(
        `${messageOf(error)}; continuing without a login`,
        `repair the helper, or log in: docker login ${registry}`,
      );
      return undefined;
    }
  }

  /**
   * Records that these credentials were refused. Returns whether {@link #credentials} now returns
   * others, or none because the scopes only read, which a public registry allows without a login.
   */
  async #hasAlternative(refused: Credentials, scopes: readonly string[]): Promise<boolean> {
    const { credentials, registry, repository } = this.#options;
    const renewed = await credentials.get(registry, repository, { refused: true });
    if (renewed && authorizationOf(renewed) !== authorizationOf(refused)) return true;
    if (!readsOnly(scopes)) return false;
    this.#readAnonymously(
      `${registry} refused the credentials from ${refused.from}; continuing without them`,
      `log in again, or forget them: docker logout ${registry}`,
    );
    return true;
  }

  #readAnonymously(message: string, hint: string): void {
    if (!this.#isAnonymous) this.#options.onEvent?.({ type: "warning", message, hint });
    this.#isAnonymous = true;
  }

  /** Returns whether the refused token is requested again. */
  async #applyChallenge(
    { headerLines, authorization }: RefusedResponse,
    scopes: readonly string[],
  ): Promise<boolean> {
    const credentials = await this.#credentials(scopes);
    const lines = headerLines("www-authenticate");
    const scheme = chooseScheme(lines, credentials !== undefined, this.#options.base);
    if (scheme) this.#scheme = scheme;
    if (scheme?.kind === "bearer") this.#wanted.set(keyOf(scopes), scheme.scopes);
    if (authorization === undefined) return false;
    const refused = [...this.#tokens].filter(([, { token }]) => authorization === `Bearer ${token}`);
    for (const [key] of refused) this.#tokens.delete(key);
    if (credentials && authorizationOf(credentials) === authorization)
      await this.#hasAlternative(credentials, scopes);
    return refused.length > 0;
  }

  async #headerOf(
    credentials: Credentials | undefined,
    scopes: readonly string[],
  ): Promise<string | undefined> {
    if (credentials?.kind === "bearer" || this.#scheme?.kind !== "bearer")
      return authorizationOf(credentials);
    return `Bearer ${await this.#tokenFor(this.#scheme, scopes, credentials)}`;
  }

  #tokenFor(
    scheme: BearerScheme,
    scopes: readonly string[],
    credentials: Credentials | undefined,
  ): Promise<string> {
    const wanted = this.#wanted.get(keyOf(scopes)) ?? scheme.scopes.filter((scope) => !scope.includes(":"));
    const { realm, service } = scheme;
    const key = JSON.stringify([realm.href, service, mergeScopes([...scopes, ...wanted])]);
    const known = this.#tokens.get(key);
    if (known && this.#now() < known.until) return Promise.resolve(known.token);
    return this.#fetching(key, async () => {
      const askedAt = this.#now();
      const { token, lifeMs } = await this.#fetchToken({ scheme, scopes, wanted }, credentials);
      this.#tokens.set(key, { token, until: askedAt + lifeMs * USED_SHARE });
      return token;
    });
  }

  /** Requests a token. If the token server refuses the credentials, tries once with new ones. */
  async #fetchToken(demand: TokenDemand, credentials: Credentials | undefined): Promise<Token> {
    try {
      return await this.#request(demand, credentials);
    } catch (error) {
      const wasRefused = error instanceof LambdaPackError && error.code === "DENIED" && error.answer;
      if (!wasRefused) throw error;
      if (!credentials) throw this.#helperError ?? error;
      if (!(await this.#hasAlternative(credentials, demand.scopes))) throw error;
      return await this.#request(demand, await this.#credentials(demand.scopes));
    }
  }

  async #request(demand: TokenDemand, credentials: Credentials | undefined): Promise<Token> {
    const { withheld, ...token } = await requestToken(demand, credentials, this.#options);
    this.#withheld = withheld;
    return token;
  }
}

function keyOf(scopes: readonly string[]): string {
  return mergeScopes(scopes).join(" ");
}

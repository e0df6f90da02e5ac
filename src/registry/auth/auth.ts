import { abortable } from "../../async/abortable.ts";
import type { OnEvent } from "../../events.ts";
import type { Http, HttpResponse } from "../http/http.ts";
import type { CredentialSource, Credentials } from "./credentials.ts";
import { type Demand, meet } from "./demand.ts";
import { createLogin, type Login } from "./login.ts";
import { askScheme, type BearerScheme, type Scheme, schemeFrom } from "./scheme.ts";
import { mergeScopes } from "./scope.ts";
import { authorizationOf, CredentialsRefused, type Token } from "./token.ts";
import { createTokens, type Tokens } from "./tokens.ts";

/** What of a refusal an authorizer learns from. `authorization` is what the refused request carried. */
export type RefusedResponse = Pick<HttpResponse, "status" | "headerLines"> &
  Partial<Pick<HttpResponse, "authorization">>;

/** Speaks for the user at one registry. What it returns belongs to that registry's origin only. */
export interface Authorizer {
  /**
   * The Authorization header for a request in these scopes; undefined where the registry asks for none, or nothing is known to show.
   * Known before any body is sent: the first call asks the registry how it wants to be shown credentials.
   * @throws DENIED where the token server takes neither what is stored nor nobody, and what the network and the credential source throw.
   */
  authorization(scopes: readonly string[], signal?: AbortSignal): Promise<string | undefined>;
  /**
   * The registry said 401, or 403 as some do for an expired token: learns from its challenge.
   * true: {@link authorization} now gives something else, so the request is worth sending again. Bounding the repetitions is the caller's.
   */
  challenged(response: RefusedResponse, scopes: readonly string[], signal?: AbortSignal): Promise<boolean>;
}

export interface AuthorizerOptions {
  /** Host and port as a reference names it. */
  readonly registry: string;
  readonly repository: string;
  /** Where the registry is spoken to. */
  readonly base: URL;
  readonly http: Http;
  readonly credentials: CredentialSource;
  readonly onEvent?: OnEvent | undefined;
  readonly now?: (() => number) | undefined;
}

export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  return new Spokesman(options);
}

/** A 403 for what is younger than this is a lack of permission, not an expiry: no token lives shorter. */
const EXPIRY_MS = 60_000;

class Spokesman implements Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #login: Login;
  readonly #tokens: Tokens;
  readonly #now: () => number;
  #scheme: Promise<Scheme> | undefined;
  /** What the registry asked for when it refused our scopes. */
  readonly #wanted = new Map<string, readonly string[]>();
  /** When each header was first handed out. */
  readonly #handedOut = new Map<string, number>();
  /** One lesson for each refused header, however many requests carried it. */
  readonly #lessons = new Map<string, Promise<void>>();

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    this.#login = createLogin(options);
    this.#now = options.now ?? Date.now;
    this.#tokens = createTokens(this.#now);
  }

  async authorization(scopes: readonly string[], signal?: AbortSignal): Promise<string | undefined> {
    const credentials = await this.#login.credentials(scopes, signal);
    const header = await abortable(this.#headerOf(credentials, scopes), signal);
    if (header !== undefined && !this.#handedOut.has(header)) this.#handedOut.set(header, this.#now());
    return header;
  }

  async challenged(
    response: RefusedResponse,
    scopes: readonly string[],
    signal?: AbortSignal,
  ): Promise<boolean> {
    if (response.status === 403 && !this.#mayHaveExpired(response.authorization)) return false;
    const key = `${response.authorization ?? ""} ${keyOf(scopes)}`;
    const lesson = this.#lessons.get(key) ?? this.#learn(response, scopes);
    this.#lessons.set(key, lesson);
    lesson.catch(() => this.#lessons.delete(key));
    await abortable(lesson, signal);
    return (await this.authorization(scopes, signal)) !== response.authorization;
  }

  #mayHaveExpired(header: string | undefined): boolean {
    const since = header === undefined ? undefined : this.#handedOut.get(header);
    return since !== undefined && this.#now() - since >= EXPIRY_MS;
  }

  async #learn({ headerLines, authorization }: RefusedResponse, scopes: readonly string[]): Promise<void> {
    const scheme = schemeFrom(headerLines("www-authenticate"));
    if (scheme) this.#scheme = Promise.resolve(scheme);
    if (scheme?.kind === "bearer") this.#wanted.set(keyOf(scopes), scheme.scopes);
    if (authorization === undefined) return;
    this.#tokens.drop(authorization.replace(/^Bearer /, ""));
    const credentials = await this.#login.credentials(scopes);
    if (credentials && authorizationOf(credentials) === authorization)
      await this.#login.refused(credentials, scopes);
  }

  async #headerOf(
    credentials: Credentials | undefined,
    scopes: readonly string[],
  ): Promise<string | undefined> {
    if (credentials?.kind === "bearer") return authorizationOf(credentials);
    const scheme = await this.#learnScheme();
    if (scheme.kind === "open") return undefined;
    if (scheme.kind === "basic") return authorizationOf(credentials);
    return `Bearer ${await this.#tokenFor(scheme, scopes, credentials)}`;
  }

  /** Asked once. What fails is asked again the next time. */
  #learnScheme(): Promise<Scheme> {
    this.#scheme ??= askScheme(this.#options).catch((error: unknown) => {
      this.#scheme = undefined;
      throw error;
    });
    return this.#scheme;
  }

  #tokenFor(
    scheme: BearerScheme,
    scopes: readonly string[],
    credentials: Credentials | undefined,
  ): Promise<string> {
    const wanted = this.#wanted.get(keyOf(scopes)) ?? scheme.scopes.filter((scope) => !scope.includes(":"));
    const demand: Demand = { scheme, scopes, wanted };
    const { realm, service } = scheme;
    const key = JSON.stringify([realm.href, service, mergeScopes([...scopes, ...wanted])]);
    return this.#tokens.get(key, () => this.#fetchToken(demand, credentials));
  }

  /** As whom we may; credentials that the token server refuses are replaced once. */
  async #fetchToken(demand: Demand, credentials: Credentials | undefined): Promise<Token> {
    try {
      return await meet(demand, credentials, this.#options);
    } catch (error) {
      if (!(error instanceof CredentialsRefused) || !credentials) throw error;
      if (!(await this.#login.refused(credentials, demand.scopes))) throw error;
      return await meet(demand, await this.#login.credentials(demand.scopes), this.#options);
    }
  }
}

function keyOf(scopes: readonly string[]): string {
  return mergeScopes(scopes).join(" ");
}

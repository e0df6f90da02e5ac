import { hasCode, LambdaPackError, type RegistryAnswer } from "../../errors.ts";
import { parseObject } from "../../oci/json.ts";
import { parseErrorDocument } from "../errors/error-document.ts";
import { redactSecrets, redactUrl } from "../errors/redact.ts";
import { retryAfterMs } from "../errors/refusal.ts";
import { refusal, sameOrigin } from "../http/address.ts";
import type { Http, HttpRequest, HttpResponse } from "../http/http.ts";
import { bodyOf } from "../http/types.ts";
import { type BearerScheme, mergeScopes, readsOnly } from "./challenge.ts";
import type { Credentials } from "./credentials.ts";
import { realmTrust } from "./realm.ts";

/** A request to a token server (distribution, "Docker Registry Token Authentication"). */
interface TokenRequest extends Pick<BearerScheme, "realm" | "service" | "scopes"> {
  /** undefined: asked anonymously. */
  readonly credentials: Credentials | undefined;
  /** The registry that named the realm. */
  readonly registry: URL;
  readonly signal: AbortSignal;
}

export interface Token {
  readonly token: string;
  /** Lifetime in milliseconds. */
  readonly lifeMs: number;
}

/** The scopes that a token needs, and the scheme that names its token server. */
export interface TokenDemand {
  readonly scheme: BearerScheme;
  readonly scopes: readonly string[];
  /** Scopes that the registry asked for in addition. */
  readonly wanted: readonly string[];
}

export interface TokenOptions {
  readonly http: Http;
  readonly base: URL;
  /** Hosts of token servers to which the user allows credentials to be sent. */
  readonly trustedRealms?: readonly string[] | undefined;
  /** Time limit for getting one token, in milliseconds. Default 60,000. */
  readonly tokenMs?: number | undefined;
}

const TOKEN_MS = 60_000;

/**
 * Requests a token. Sends credentials only where {@link realmTrust} allows it: a realm of another
 * owner gets an anonymous request, a private address none. `withheld` is the error to report when
 * the anonymous token is not enough.
 * @throws DENIED when the token server refuses, or credentials are needed that were not sent.
 */
export async function requestToken(
  { scheme, scopes, wanted }: TokenDemand,
  credentials: Credentials | undefined,
  options: TokenOptions,
): Promise<Token & { readonly withheld?: LambdaPackError }> {
  const { http, base, trustedRealms, tokenMs = TOKEN_MS } = options;
  const { realm } = scheme;
  const trust = await realmTrust(realm, base, trustedRealms);
  if (trust.send === "nothing") throw refusal(base, realm, trust.why);
  const request = { ...scheme, scopes: ordered(scopes, wanted), registry: base };
  const ask = (sent: Credentials | undefined) =>
    inTime(realm, tokenMs, (signal) => fetchToken(http, { ...request, credentials: sent, signal }));
  if (trust.send === "credentials" || !credentials) return ask(credentials);
  const withheld = notSent(realm, base, credentials);
  if (!readsOnly(scopes)) throw withheld;
  try {
    return { ...(await ask(undefined)), withheld };
  } catch (error) {
    throw hasCode(error, "DENIED") ? withheld : error;
  }
}

/** Limits the whole exchange, because a server that sends a byte now and then is never silent. */
async function inTime<T>(realm: URL, ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = new Error(`the token server ${realm.host} gave no token within ${ms / 1000} s`);
  const timer = setTimeout(() => stop.abort(Object.assign(late, { code: "ETIMEDOUT" })), ms);
  try {
    return await work(stop.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Puts missing scopes first: some token servers read only the first one (ggcr, bearer.go). */
function ordered(scopes: readonly string[], wanted: readonly string[]): readonly string[] {
  const own = mergeScopes(scopes);
  const isOwn = (scope: string) => Number(own.includes(scope));
  return mergeScopes([...scopes, ...wanted]).toSorted((a, b) => isOwn(a) - isOwn(b));
}

function notSent(realm: URL, base: URL, { from }: Credentials): LambdaPackError {
  return new LambdaPackError(
    "DENIED",
    `the registry ${base.host} wants its login sent to the token server ${realm.host}, which may belong to another owner: the credentials from ${from} were not sent, and without them the registry allows nothing`,
    { hint: `if ${realm.host} belongs to the registry, allow it: --trust-realm ${realm.host}` },
  );
}

/** The longest answer that is read, in bytes. */
const TOKEN_LIMIT = 64 * 1024;
/** The minimum and default lifetime in distribution's token specification. */
const MIN_LIFE_MS = 60_000;

/**
 * Requests a token from the token server. Follows one redirect within the same origin. Tries an
 * identity token as OAuth2 first.
 * @throws DENIED for 401 and 403, REGISTRY_ANSWER for other answers and for one without a token.
 */
async function fetchToken(http: Http, request: TokenRequest): Promise<Token> {
  const { credentials } = request;
  if (credentials?.kind === "identity") {
    const response = await http.send(refreshing(request, credentials.token));
    if (!LACKS_OAUTH.includes(response.status)) return readToken(response, request);
    response.discard();
  }
  const asked = asking(request);
  const response = await http.send(asked);
  const location = REDIRECTS.includes(response.status) ? response.header("location") : undefined;
  const canFollow = location !== undefined && URL.canParse(location, asked.url.href);
  const url = canFollow ? new URL(location, asked.url) : undefined;
  // Credentials must not reach another host.
  if (!url || !sameOrigin(url, asked.url)) return readToken(response, request);
  response.discard();
  return readToken(await http.send({ ...asked, url }), request);
}

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/** The answers of registries without OAuth2: GCR 404, Artifactory 401, ACR 400 (containerd). */
const LACKS_OAUTH: readonly number[] = [400, 401, 404, 405];

function asking({ realm, service, scopes, credentials, registry, signal }: TokenRequest): HttpRequest {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  const authorization = authorizationOf(credentials);
  return { method: "GET", url, signal, from: registry, headers: { ...(authorization && { authorization }) } };
}

function refreshing(
  { realm, service, scopes, registry, signal }: TokenRequest,
  refreshToken: string,
): HttpRequest {
  const form = new URLSearchParams({ grant_type: "refresh_token", refresh_token: refreshToken });
  form.set("client_id", "lambda-pack");
  if (service !== undefined) form.set("service", service);
  if (scopes.length > 0) form.set("scope", scopes.join(" "));
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const body = bodyOf(Buffer.from(form.toString()));
  return { method: "POST", url: realm, signal, from: registry, headers, body };
}

/**
 * Returns the Authorization header (RFC 7617). Servers without OAuth2 accept an identity token as
 * the password of the user `<token>`.
 */
export function authorizationOf(credentials: Credentials | undefined): string | undefined {
  if (!credentials) return undefined;
  if (credentials.kind === "bearer") return `Bearer ${credentials.token}`;
  const { username, password } =
    credentials.kind === "basic" ? credentials : { username: "<token>", password: credentials.token };
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

async function readToken(response: HttpResponse, request: TokenRequest): Promise<Token> {
  const { status } = response;
  if (status === 200 || status === 201)
    return parseToken((await response.bytes(TOKEN_LIMIT)).toString("utf8"), request.realm);
  const body = await response.bytes(TOKEN_LIMIT).catch(() => Buffer.alloc(0));
  const { complaints, text } = parseErrorDocument(redactSecrets(body.toString("utf8"), secretsOf(request)));
  const answer: RegistryAnswer = {
    status,
    complaints: complaints.length > 0 || text === "" ? complaints : [{ code: "TOKEN", message: text }],
    by: "token-server",
    retryAfterMs: retryAfterMs(response.header("retry-after"), Date.now()),
  };
  const words = complaints.map(({ message }) => message).join("; ") || text;
  const said = words === "" ? "" : `: ${words}`;
  const message = `the token server ${redactUrl(request.realm)} answered ${status}${said}`;
  if (status === 401 || status === 403)
    throw new LambdaPackError("DENIED", message, { answer, hint: loginHint(request) });
  const hint = status >= 300 && status < 500 && status !== 429 ? NOT_A_TOKEN_SERVER : LOGIN_TROUBLE;
  throw new LambdaPackError("REGISTRY_ANSWER", message, { answer, hint });
}

const NOT_A_TOKEN_SERVER =
  "the address that the registry names for its login does not give tokens to GET: its operator has to correct the realm";
const LOGIN_TROUBLE = "the registry's login has trouble: run it again later";

function loginHint({ credentials, registry }: TokenRequest): string {
  return credentials
    ? `the credentials for ${registry.host} from ${credentials.from} are wrong or have expired: log in again`
    : `log in first: docker login ${registry.host}`;
}

/** Returns the secrets that were sent, because a server may repeat them in its answer. */
function secretsOf({ credentials }: TokenRequest): readonly string[] {
  if (!credentials) return [];
  const secret = credentials.kind === "basic" ? credentials.password : credentials.token;
  return secret.length < 4 ? [] : [secret, (authorizationOf(credentials) ?? "").replace(/^\w+ /, "")];
}

/** Reads `token` or `access_token`. Rejects a token that could inject a header line. */
export function parseToken(text: string, realm: URL): Token {
  const answer = parseObject(text) ?? {};
  const token = [answer["token"], answer["access_token"]].find(
    (value) => typeof value === "string" && value !== "",
  );
  if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) {
    const message = `the token server ${redactUrl(realm)} answered without a token`;
    const answer: RegistryAnswer = { status: 200, complaints: [], by: "token-server" };
    throw new LambdaPackError("REGISTRY_ANSWER", message, { answer, hint: LOGIN_TROUBLE });
  }
  const seconds = Number(answer["expires_in"] ?? 0);
  return { token, lifeMs: Math.max(MIN_LIFE_MS, Number.isFinite(seconds) ? seconds * 1000 : 0) };
}

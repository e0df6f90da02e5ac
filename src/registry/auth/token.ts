import { RegistryError } from "../../errors.ts";
import { DamagedAnswer } from "../errors/error.ts";
import { printable, redactText, redactUrl } from "../errors/redact.ts";
import type { Http, HttpRequest, HttpResponse } from "../http/http.ts";
import type { Credentials } from "./credentials.ts";

/** A token server and what it is asked (distribution, "Docker Registry Token Authentication"). */
export interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  /** undefined: asked anonymously. */
  readonly credentials: Credentials | undefined;
  /** The registry that named the realm. */
  readonly registry: URL;
  readonly signal?: AbortSignal | undefined;
}

export interface Token {
  readonly token: string;
  /** How long it lasts from now. */
  readonly lifeMs: number;
}

/** The token server does not take these credentials. */
export class CredentialsRefused extends RegistryError {
  override readonly name = "CredentialsRefused";
}

const TOKEN_LIMIT = 64 * 1024;
/** Where a server says nothing, and the least it is believed (distribution's token specification). */
const MIN_LIFE_MS = 60_000;

/**
 * One exchange with the token server, which is never followed elsewhere. An identity token is tried as OAuth2 first.
 * @throws CredentialsRefused (DENIED) for 401 and 403, RegistryError for other answers, REGISTRY_ANSWER for one that is no token.
 */
export async function fetchToken(http: Http, request: TokenRequest): Promise<Token> {
  const { credentials } = request;
  if (credentials?.kind === "identity") {
    const response = await http.send(refreshing(request, credentials.token));
    if (!LACKS_OAUTH.includes(response.status)) return readToken(response, request);
    response.discard();
  }
  return readToken(await http.send(asking(request)), request);
}

/** GCR answers 404, Artifactory 401, ACR 400 where OAuth2 is not what they speak (containerd's list). */
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
  const bytes = Buffer.from(form.toString());
  return {
    method: "POST",
    url: realm,
    signal,
    from: registry,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: {
      length: bytes.length,
      async *read() {
        yield bytes;
      },
    },
  };
}

/** RFC 7617. Servers without OAuth2 take an identity token as the password of the user `<token>`. */
export function authorizationOf(credentials: Credentials | undefined): string | undefined {
  if (!credentials) return undefined;
  if (credentials.kind === "bearer") return `Bearer ${credentials.token}`;
  const { username, password } =
    credentials.kind === "basic" ? credentials : { username: "<token>", password: credentials.token };
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

async function readToken(response: HttpResponse, request: TokenRequest): Promise<Token> {
  if (response.status === 200) return parseToken(await response.text(TOKEN_LIMIT), request.realm);
  const words = printable(redactText(await response.text(TOKEN_LIMIT).catch(() => "")), 200);
  const what = `the token server ${redactUrl(request.realm)} answered ${response.status}`;
  const details = {
    status: response.status,
    complaints: words === "" ? [] : [{ code: "TOKEN", message: words }],
  };
  if (response.status === 401 || response.status === 403) throw refused(what, request, details);
  const hint = "the registry's login has trouble: run it again later";
  throw new RegistryError("REGISTRY_ANSWER", what, { ...details, hint });
}

function refused(
  what: string,
  { credentials, registry }: TokenRequest,
  details: { readonly status: number },
): CredentialsRefused {
  const hint = credentials
    ? `the credentials for ${registry.host} from ${credentials.from} are wrong or have expired: log in again`
    : `log in first: docker login ${registry.host}`;
  return new CredentialsRefused("DENIED", what, { ...details, hint });
}

/** `token` or `access_token`; a token that could smuggle in another header line is none. */
export function parseToken(text: string, realm: URL): Token {
  const answer = parseObject(text);
  const token = [answer["token"], answer["access_token"]].find(
    (value) => typeof value === "string" && value !== "",
  );
  if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) {
    throw new DamagedAnswer(
      `the token server ${redactUrl(realm)} answered without a token`,
      "REGISTRY_ANSWER",
      "the registry's login has trouble: run it again later",
    );
  }
  const seconds = Number(answer["expires_in"] ?? 0);
  return { token, lifeMs: Math.max(MIN_LIFE_MS, Number.isFinite(seconds) ? seconds * 1000 : 0) };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

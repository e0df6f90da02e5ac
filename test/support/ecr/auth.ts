import { bearerChallenge } from "./content/blobs.ts";
import { type Exchange, problem, type Reply } from "./http/wire.ts";
import { ACTIONS } from "./routes.ts";
import type { EcrState } from "./state.ts";
import type { TokenState } from "./tokens.ts";

const EXPIRED = "Your authorization token has expired. Reauthenticate and try again.";

/** The refusal of a request without good credentials; undefined: it may pass. */
export function authenticate(state: EcrState, exchange: Exchange, region: string): Reply | undefined {
  return state.mode === "public" ? bearer(state, exchange) : basic(state, exchange, region);
}

/** Q1, Q2. A token is bound to its region (ECR API reference, GetAuthorizationToken); that another region says 401 is a guess. */
function basic({ quirks, tokens }: EcrState, { url, headers }: Exchange, region: string): Reply | undefined {
  if (!quirks.basicAuth) return undefined;
  const { user, password } = basicOf(headers.authorization);
  const state = user === "AWS" ? tokens.use(password, (scope) => scope === region) : "unknown";
  if (state === "valid") return undefined;
  if (state === "expired") return problem(403, "DENIED", EXPIRED);
  const challenge = `Basic realm="${url.origin}/",service="ecr.amazonaws.com"`;
  const reply = problem(401, "UNAUTHORIZED", "authentication required", { "www-authenticate": challenge });
  return { ...reply, close: true };
}

/** ECR Public: a bearer token, also for anonymous pulls. An expired `docker login` is said here, with 403 (aws-lambda-base-images#220). */
function bearer({ tokens }: EcrState, { url, kind, headers, method }: Exchange): Reply | undefined {
  if (kind === "token") return undefined;
  const token = bearerOf(headers.authorization);
  const scope = tokens.scopeOf(token);
  const state = tokens.use(token, () => true);
  if (state === "expired" || scope === STALE_LOGIN) return problem(403, "DENIED", EXPIRED);
  const mayWrite = scope === LOGIN || method === "GET" || method === "HEAD";
  if (state === "valid" && mayWrite) return undefined;
  return problem(401, "UNAUTHORIZED", "Not Authorized", { "www-authenticate": bearerChallenge(url) });
}

export const ANONYMOUS = "anonymous";
const LOGIN = "login";
const STALE_LOGIN = "stale login";

/** Q24: `GET /token/?service=&scope=`, with or without Basic credentials from GetAuthorizationToken. */
export function tokenAnswer({ tokens }: EcrState, { headers }: Exchange): Reply {
  const token = tokens.issue(loginOf(tokens, headers.authorization));
  return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify({ token }) };
}

function loginOf(tokens: EcrState["tokens"], authorization: string | undefined): string {
  if (authorization === undefined) return ANONYMOUS;
  const state: TokenState = tokens.use(basicOf(authorization).password, (scope) => scope === "us-east-1");
  return state === "valid" ? LOGIN : STALE_LOGIN;
}

export function bearerOf(authorization: string | undefined): string {
  return /^Bearer (.+)$/i.exec(authorization ?? "")?.[1] ?? "";
}

/** The refusal of an action that the caller has no permission for. */
export function authorize(state: EcrState, { kind }: Exchange, arn: string): Reply | undefined {
  const action = ACTIONS[kind];
  if (!action || !state.denied.has(action)) return undefined;
  return problem(403, "DENIED", notAuthorized(action, arn));
}

export function notAuthorized(action: string, arn: string): string {
  const user = "arn:aws:iam::123456789012:user/builder";
  return `User: ${user} is not authorized to perform: ${action} on resource: ${arn} because no identity-based policy allows the ${action} action`;
}

function basicOf(authorization: string | undefined): { readonly user: string; readonly password: string } {
  const encoded = /^Basic (.+)$/i.exec(authorization ?? "")?.[1] ?? "";
  const [user = "", password = ""] = Buffer.from(encoded, "base64").toString().split(":");
  return { user, password };
}

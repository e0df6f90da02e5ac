import { randomUUID, sign, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Certificate, selfSigned } from "./openssl.ts";

export interface TokenServer {
  /** Where a registry sends its clients for a token. */
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** What the registry checks tokens against. */
  readonly certificate: string;
  /** Tokens given so far. */
  readonly given: () => number;
  stop(): Promise<void>;
}

export interface TokenServerOptions {
  readonly directory: string;
  readonly user: string;
  readonly password: string;
  readonly lifeSeconds: number;
}

const SERVICE = "lambda-pack-test-registry";
const ISSUER = "lambda-pack-test-issuer";

/** The token server of distribution's docs/spec/auth/token.md: who gives no credentials may only pull. */
export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const signer = await selfSigned(options.directory, "token");
  let given = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://token");
    const user = userOf(request.headers.authorization, options);
    if (user === "wrong")
      return void response.writeHead(401).end(`{"details":"incorrect username or password"}`);
    given += 1;
    const token = tokenFor(user, url.searchParams, signer, options.lifeSeconds);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ token, expires_in: options.lifeSeconds }));
  });
  const realm = `${await listen(server)}/token`;
  return {
    ...{ realm, service: SERVICE, issuer: ISSUER, certificate: signer.certificate },
    given: () => given,
    stop: () => stop(server),
  };
}

type User = "anonymous" | "known" | "wrong";

function userOf(authorization: string | undefined, { user, password }: TokenServerOptions): User {
  if (authorization === undefined) return "anonymous";
  const expected = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  return authorization === expected ? "known" : "wrong";
}

function tokenFor(user: User, query: URLSearchParams, signer: Certificate, lifeSeconds: number): string {
  const now = Math.floor(Date.now() / 1000);
  const scopes = query
    .getAll("scope")
    .flatMap((scope) => scope.split(" "))
    .filter(Boolean);
  const claims = {
    ...{ iss: ISSUER, sub: user, aud: query.get("service"), jti: randomUUID() },
    ...{ exp: now + lifeSeconds, nbf: now - 10, iat: now },
    access: scopes.map((scope) => accessOf(scope, user)),
  };
  const chain = [new X509Certificate(readFileSync(signer.certificate)).raw.toString("base64")];
  const unsigned = `${base64url({ typ: "JWT", alg: "ES256", x5c: chain })}.${base64url(claims)}`;
  const key = { key: readFileSync(signer.key), dsaEncoding: "ieee-p1363" } as const;
  return `${unsigned}.${sign("sha256", Buffer.from(unsigned), key).toString("base64url")}`;
}

/** `repository:some/name:pull,push`; a name may hold colons. */
function accessOf(scope: string, user: User) {
  const [, type = "", name = "", wanted = ""] = /^([^:]+):(.*):([^:]*)$/.exec(scope) ?? [];
  const actions = wanted.split(",").filter((action) => user === "known" || action === "pull");
  return { type, name, actions };
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
}

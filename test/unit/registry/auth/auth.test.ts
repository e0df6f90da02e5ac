import assert from "node:assert/strict";
import { lookup } from "node:dns/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { hostname } from "node:os";
import { text } from "node:stream/consumers";
import { describe, it, type TestContext } from "node:test";
import { inspect } from "node:util";
import type { BuildEvent } from "../../../../src/events.ts";
import { Authorizer } from "../../../../src/registry/auth/authorizer.ts";
import { mergeActions, mergeScopes } from "../../../../src/registry/auth/challenge.ts";
import type {
  CredentialRequest,
  CredentialSource,
  Credentials,
} from "../../../../src/registry/auth/credentials.ts";
import { parseToken, requestToken } from "../../../../src/registry/auth/token.ts";
import { addressKind } from "../../../../src/registry/http/address.ts";
import type { Environment } from "../../../../src/registry/http/agent.ts";
import { createHttp, type HttpResponse } from "../../../../src/registry/http/http.ts";
import { corpus } from "../../../support/corpora.ts";
import { ConnectProxy } from "../../../support/http/proxy.ts";
import { serve } from "../../../support/http/serve.ts";
import { answered } from "../../../support/registry/repository.ts";

const CANARY = "c4nary-s3cret";
const PULL = ["repository:app:pull"];
const PUSH = ["repository:app:pull,push"];
const alice: Credentials = { kind: "basic", username: "alice", password: CANARY, from: "the test" };
const BASIC = `Basic ${Buffer.from(`alice:${CANARY}`).toString("base64")}`;

/** What the token server was asked. */
interface Asked {
  readonly method: string | undefined;
  readonly authorization: string | undefined;
  readonly scopes: readonly string[];
  readonly service: string | null;
  readonly body: string;
}

/** What the client uses of an authorizer. */
type Used = Pick<Authorizer, "authorization" | "handleChallenge" | "discover" | "credentialsFrom">;

interface World {
  readonly authorizer: Used;
  readonly asked: Asked[];
  readonly events: BuildEvent[];
  readonly realm: string;
  readonly probes: () => number;
  /** Milliseconds; moved by the test. */
  readonly clock: { now: number };
}

interface WorldOptions {
  /** The registry's WWW-Authenticate; REALM stands for the token server. Default: Bearer. null: open. */
  readonly challenge?: string | null;
  readonly probeStatus?: (count: number) => number;
  readonly credentials?: CredentialSource | Credentials | undefined;
  /** The token server. Default: gives `token-<n>` for 300 s. */
  readonly token?: (asked: Asked, count: number, response: ServerResponse) => unknown;
}

async function world(t: TestContext, options: WorldOptions = {}): Promise<World> {
  const { challenge = 'Bearer realm="REALM",service="registry.test"', probeStatus, token = give } = options;
  const asked: Asked[] = [];
  const realm = new URL(
    "/token",
    await serve(t, async (request, response) => {
      asked.push(await note(request));
      const answer = token(asked.at(-1) ?? fail(), asked.length, response);
      if (answer !== undefined) response.end(JSON.stringify(answer));
    }),
  );
  let probes = 0;
  const base = await serve(t, (_, response) => {
    probes += 1;
    const headers = challenge === null ? {} : { "www-authenticate": challenge.replace("REALM", realm.href) };
    response.writeHead(probeStatus?.(probes) ?? (challenge === null ? 200 : 401), headers).end("{}");
  });
  const events: BuildEvent[] = [];
  const onEvent = (event: BuildEvent) => void events.push(event);
  const http = createHttp({ environment: {}, onEvent });
  t.after(() => http.close());
  const clock = { now: 1_000_000 };
  const credentials = sourceOf(options.credentials);
  const names = { registry: base.host, repository: "app", base };
  const authorizer = asClient(
    new Authorizer({ ...names, http, credentials, onEvent, now: () => clock.now }),
    (signal) => http.send({ method: "GET", url: new URL("/v2/app/tags/list", base), signal }),
  );
  return { authorizer, asked, events, realm: realm.href, probes: () => probes, clock };
}

/** An authorizer that is used as the client uses it: a request without a header comes first, and is refused. */
function asClient(authorizer: Used, send: (signal: AbortSignal | undefined) => Promise<HttpResponse>): Used {
  let isLearned = false;
  return {
    handleChallenge: (...refused) => authorizer.handleChallenge(...refused),
    discover: (...wanted) => authorizer.discover(...wanted),
    get credentialsFrom() {
      return authorizer.credentialsFrom;
    },
    async authorization(scopes, signal) {
      const header = await authorizer.authorization(scopes, signal);
      if (header !== undefined || isLearned) return header;
      const response = await send(signal);
      response.discard();
      isLearned = true;
      if (response.status === 401) await authorizer.handleChallenge(response, scopes, signal);
      return authorizer.authorization(scopes, signal);
    },
  };
}

function sourceOf(given: WorldOptions["credentials"]): CredentialSource {
  if (given && "get" in given) return given;
  return { get: async () => given };
}

/** The first until it is refused, then the second. */
function renewing(first: Credentials, second: Credentials): CredentialSource & { refusals: number } {
  const source = {
    refusals: 0,
    get: async (_: string, __: string, request: CredentialRequest = {}) => {
      if (request.refused) source.refusals += 1;
      return source.refusals > 0 ? second : first;
    },
  };
  return source;
}

const give = (_: Asked, count: number) => ({ token: `token-${count}`, expires_in: 300 });

const onlyTo =
  (authorization: string | undefined) => (asked: Asked, count: number, response: ServerResponse) => {
    if (asked.authorization === authorization) return give(asked, count);
    response.writeHead(401);
    return { details: `not ${CANARY}` };
  };

async function note(request: IncomingMessage): Promise<Asked> {
  const { searchParams } = new URL(request.url ?? "", "http://token");
  return {
    method: request.method,
    authorization: request.headers.authorization,
    scopes: searchParams.getAll("scope"),
    service: searchParams.get("service"),
    body: await text(request),
  };
}

function fail(): never {
  throw new Error("not reached");
}

function unauthorized(authorization: string | undefined, challenge: string | undefined, status = 401) {
  return { status, authorization, headerLines: () => (challenge === undefined ? [] : [challenge]) };
}

describe("an authorizer", () => {
  it("sends nothing to a registry that asks for nothing, and asks it once", async (t) => {
    const { authorizer, probes } = await world(t, { challenge: null, credentials: alice });
    assert.equal(await authorizer.authorization(PUSH), undefined);
    assert.equal(await authorizer.authorization(PULL), undefined);
    assert.equal(probes(), 1);
  });

  it("knows Basic before the first request", async (t) => {
    const { authorizer, asked } = await world(t, { challenge: 'Basic realm="x"', credentials: alice });
    assert.equal(await authorizer.authorization(PUSH), BASIC);
    assert.deepEqual(asked, []);
  });

  it("an authorizer has nothing to send for Basic without credentials", async (t) => {
    const { authorizer } = await world(t, { challenge: "Basic realm=x" });
    assert.equal(await authorizer.authorization(PULL), undefined);
  });

  it("asks for a token anonymously, with the service and each scope by itself", async (t) => {
    const { authorizer, asked } = await world(t);
    assert.equal(await authorizer.authorization([...PUSH, "repository:base:pull"]), "Bearer token-1");
    assert.deepEqual(asked, [
      {
        method: "GET",
        authorization: undefined,
        scopes: ["repository:app:pull,push", "repository:base:pull"],
        service: "registry.test",
        body: "",
      },
    ]);
  });

  it("shows credentials to the token server, and its token to the registry", async (t) => {
    const { authorizer, asked } = await world(t, { credentials: alice });
    assert.equal(await authorizer.authorization(PUSH), "Bearer token-1");
    assert.equal(asked[0]?.authorization, BASIC);
  });

  it("sends a registry token as it is, without asking anybody", async (t) => {
    const credentials: Credentials = { kind: "bearer", token: "given", from: "the test" };
    const { authorizer, probes } = await world(t, { credentials });
    assert.equal(await authorizer.authorization(PUSH), "Bearer given");
    assert.equal(probes(), 0);
  });

  it("asks once for what many want at the same time", async (t) => {
    const { authorizer, asked } = await world(t);
    const headers = await Promise.all(Array.from({ length: 10 }, () => authorizer.authorization(PULL)));
    assert.deepEqual([...new Set(headers)], ["Bearer token-1"]);
    assert.equal(asked.length, 1);
  });

  it("keeps tokens of different scopes apart", async (t) => {
    const { authorizer } = await world(t);
    const headers = [await authorizer.authorization(PULL), await authorizer.authorization(PUSH)];
    assert.deepEqual(headers, ["Bearer token-1", "Bearer token-2"]);
    assert.equal(await authorizer.authorization(["repository:app:push,pull"]), "Bearer token-2");
  });

  it("uses a token for 80 % of its life", async (t) => {
    const { authorizer, clock } = await world(t);
    await authorizer.authorization(PULL);
    clock.now += 239_000;
    assert.equal(await authorizer.authorization(PULL), "Bearer token-1");
    clock.now += 2_000;
    assert.equal(await authorizer.authorization(PULL), "Bearer token-2");
  });

  it("a scope that the registry asks for beside its own is in the request to the token server", async (t) => {
    const challenge = 'Bearer realm="REALM",scope="aws"';
    const { authorizer, asked } = await world(t, { challenge });
    await authorizer.authorization(PULL);
    assert.deepEqual(asked[0]?.scopes, ["aws", "repository:app:pull"]);
  });

  it("an authorizer does not hold up an abort", { timeout: 60_000 }, async (t) => {
    const { authorizer } = await world(t, { token: () => undefined });
    await assert.rejects(authorizer.authorization(PULL, AbortSignal.timeout(50)), { name: "TimeoutError" });
  });
});

describe("an identity token", () => {
  const credentials: Credentials = { kind: "identity", token: `${CANARY}+&=`, from: "the test" };

  it("an identity token is exchanged by OAuth2", async (t) => {
    const { authorizer, asked } = await world(t, { credentials, token: () => ({ access_token: "oauth" }) });
    assert.equal(await authorizer.authorization(PUSH), "Bearer oauth");
    assert.equal(asked[0]?.method, "POST");
    assert.deepEqual(Object.fromEntries(new URLSearchParams(asked[0]?.body)), {
      grant_type: "refresh_token",
      refresh_token: `${CANARY}+&=`,
      client_id: "lambda-pack",
      service: "registry.test",
      scope: "repository:app:pull,push",
    });
  });

  for (const status of [400, 401, 404, 405]) {
    it(`falls back to GET where OAuth2 is answered with ${status}`, async (t) => {
      const token: NonNullable<WorldOptions["token"]> = (asked, count, response) => {
        if (asked.method === "GET") return give(asked, count);
        response.writeHead(status);
        return {};
      };
      const { authorizer, asked } = await world(t, { credentials, token });
      assert.equal(await authorizer.authorization(PULL), "Bearer token-2");
      const password = Buffer.from(asked[1]?.authorization?.replace("Basic ", "") ?? "", "base64").toString();
      assert.equal(password, `<token>:${CANARY}+&=`);
    });
  }
});

describe("a token server's answer", () => {
  const answers: Readonly<Record<string, string>> = {
    "is not JSON": "IAmNotJson",
    "has no token": "{}",
    "has an empty token": '{"token":""}',
    "has a token that would end the header": '{"token":"a\\r\\nX-Evil: 1"}',
    "is longer than 64 KiB": JSON.stringify({ token: "x".repeat(70_000) }),
  };
  for (const [what, answer] of Object.entries(answers)) {
    it(`that ${what} is refused`, async (t) => {
      const { authorizer } = await world(t, { token: (_, __, response) => void response.end(answer) });
      await assert.rejects(authorizer.authorization(PULL), { code: "REGISTRY_ANSWER" });
    });
  }

  it("that leads elsewhere is not followed", async (t) => {
    let elsewhere = 0;
    const other = await serve(t, (_, response) => {
      elsewhere += 1;
      response.end('{"token":"x"}');
    });
    const token: NonNullable<WorldOptions["token"]> = (_, __, response) =>
      void response.writeHead(307, { location: other.href }).end();
    const { authorizer } = await world(t, { token, credentials: alice });
    await assert.rejects(authorizer.authorization(PULL), answered(307, { code: "REGISTRY_ANSWER" }));
    assert.equal(elsewhere, 0);
  });

  it("that is busy is not taken for a refusal", async (t) => {
    const token: NonNullable<WorldOptions["token"]> = (_, __, response) => void response.writeHead(503).end();
    const { authorizer } = await world(t, { token, credentials: alice });
    await assert.rejects(authorizer.authorization(PULL), answered(503, { code: "REGISTRY_ANSWER" }));
  });
});

describe("a token server that sends a byte now and then", () => {
  it("a token server that sends a byte now and then is given up when all of its answer takes too long", async (t) => {
    const url = await serve(t, (_, response) => {
      const drip = setInterval(() => response.write(" "), 10);
      response.once("close", () => clearInterval(drip));
    });
    const http = createHttp({ environment: {} });
    t.after(() => http.close());
    const scheme = { kind: "bearer", realm: new URL("/token", url), service: undefined, scopes: [] } as const;
    const demand = { scheme, scopes: PULL, wanted: [] };
    await assert.rejects(requestToken(demand, undefined, { http, base: url, tokenMs: 200 }), {
      code: "ETIMEDOUT",
      message: `the token server ${url.host} gave no token within 0.2 s`,
    });
  });
});

describe("a realm of strangers", () => {
  for (const realm of [
    "http://169.254.169.254/token",
    "ftp://127.0.0.1/token",
    "http://user@127.0.0.1/token",
  ]) {
    it(`${realm} is not asked`, async (t) => {
      const { authorizer, events } = await world(t, {
        challenge: `Bearer realm="${realm}"`,
        credentials: alice,
      });
      await assert.rejects(authorizer.authorization(PULL), { code: "REGISTRY_ANSWER" });
      const urls = events.flatMap((event) => (event.type === "request" ? [event.url] : []));
      assert.equal(urls.length, 1);
    });
  }

  it("gets no credentials for a push", async (t) => {
    const challenge = 'Bearer realm="https://auth.example.net/token"';
    const { authorizer } = await world(t, { challenge, credentials: alice });
    await assert.rejects(authorizer.authorization(PUSH), {
      code: "DENIED",
      message: /not sent/,
      hint: /--trust-realm auth.example.net/,
    });
  });
});

/** A registry and a token server of different owners, which only a proxy knows. */
async function strangers(
  t: TestContext,
  realm: string,
  environment: Environment = {},
  trustedRealms: readonly string[] = [],
) {
  const authorizations: (string | undefined)[] = [];
  const token = await serve(t, (request, response) => {
    authorizations.push(request.headers.authorization);
    response.end('{"token":"strange"}');
  });
  const named = new URL(realm.replace("PORT", token.port));
  const registry = await serve(t, (_, response) =>
    response.writeHead(401, { "www-authenticate": `Bearer realm="${named.href}"` }).end(),
  );
  const proxy = new ConnectProxy();
  proxy.route("registry.test:80", Number(registry.port));
  proxy.route("auth.stranger.test:80", Number(token.port));
  const through = { HTTP_PROXY: await proxy.start(), ...environment };
  t.after(() => proxy.stop());
  const http = createHttp({ environment: through, insecureRegistries: ["registry.test"] });
  t.after(() => http.close());
  const base = new URL("http://registry.test/");
  const names = { registry: "registry.test", repository: "app", base };
  const authorizer = asClient(
    new Authorizer({ ...names, http, credentials: sourceOf(alice), trustedRealms }),
    (signal) => http.send({ method: "GET", url: new URL("/v2/app/tags/list", base), signal }),
  );
  return { authorizer, authorizations };
}

describe("a token server of another owner", () => {
  it("a token server of another owner is asked anonymously for reading, and not at all for writing", async (t) => {
    const { authorizer, authorizations } = await strangers(t, "http://auth.stranger.test/token");
    assert.equal(await authorizer.authorization(PULL), "Bearer strange");
    await assert.rejects(authorizer.authorization(PUSH), { code: "DENIED" });
    assert.deepEqual(authorizations, [undefined]);
  });

  it("a token server of another owner gets the login when the user trusts it", async (t) => {
    const realm = "http://auth.stranger.test/token";
    const { authorizer, authorizations } = await strangers(t, realm, {}, ["auth.stranger.test"]);
    assert.equal(await authorizer.authorization(PUSH), "Bearer strange");
    assert.deepEqual(authorizations, [BASIC]);
  });

  it("an anonymous token that the registry refuses is told as a login that was not sent", async (t) => {
    const { authorizer, authorizations } = await strangers(t, "http://auth.stranger.test/token");
    const header = await authorizer.authorization(PULL);
    const refused = { status: 401, headerLines: () => [], authorization: header };
    await assert.rejects(authorizer.handleChallenge(refused, PULL), {
      code: "DENIED",
      message: /the credentials from the test were not sent/,
      hint: /--trust-realm auth\.stranger\.test/,
    });
    assert.deepEqual(authorizations, [undefined]);
  });

  it("whose name resolves to this machine is not asked", async (t) => {
    const own = hostname();
    const address = await lookup(own).catch(() => undefined);
    // A name of digits is an address to a URL.
    const isName = new URL(`http://${own}/`).hostname === own.toLowerCase();
    if (!isName || !address || addressKind(address.address) === "public")
      return t.skip(`${own} has no private address here`);
    const { authorizer, authorizations } = await strangers(t, `http://${own}:PORT/token`, { NO_PROXY: own });
    await assert.rejects(authorizer.authorization(PULL), { code: "REGISTRY_ANSWER", message: /resolves to/ });
    assert.deepEqual(authorizations, []);
  });
});

describe("credentials that have gone stale", () => {
  it("credentials that have gone stale are left out when reading, with a warning", async (t) => {
    const { authorizer, asked, events } = await world(t, { credentials: alice, token: onlyTo(undefined) });
    assert.equal(await authorizer.authorization(PULL), "Bearer token-2");
    const warnings = events.filter(({ type }) => type === "warning");
    assert.match(inspect(warnings), /refused the credentials from the test.*docker logout/s);
    await authorizer.authorization(["repository:other:pull"]);
    assert.deepEqual(
      asked.map(({ authorization }) => authorization),
      [BASIC, undefined, undefined],
    );
  });

  it("credentials that have gone stale are an error when writing, which says where they are from", async (t) => {
    const { authorizer } = await world(t, { credentials: alice, token: onlyTo(undefined) });
    await assert.rejects(authorizer.authorization(PUSH), {
      code: "DENIED",
      hint: /from the test.*log in again/,
    });
  });

  it("credentials that have gone stale are an error when writing also after reading went on without them", async (t) => {
    const { authorizer } = await world(t, { credentials: alice, token: onlyTo(undefined) });
    await authorizer.authorization(PULL);
    await assert.rejects(authorizer.authorization(PUSH), {
      code: "DENIED",
      hint: /from the test.*log in again/,
    });
  });

  it("credentials that have gone stale are replaced by what their source then gives", async (t) => {
    const fresh: Credentials = { kind: "basic", username: "alice", password: "fresh", from: "the test" };
    const source = renewing(alice, fresh);
    const header = `Basic ${Buffer.from("alice:fresh").toString("base64")}`;
    const { authorizer } = await world(t, { credentials: source, token: onlyTo(header) });
    assert.equal(await authorizer.authorization(PUSH), "Bearer token-2");
    assert.equal(source.refusals, 1);
  });

  it("credentials that have gone stale are an error of its own when there are none and the token server wants some", async (t) => {
    const { authorizer } = await world(t, { token: onlyTo(BASIC) });
    await assert.rejects(authorizer.authorization(PULL), { code: "DENIED", hint: /docker login 127/ });
  });
});

describe("a challenge to a request", () => {
  it("teaches the scheme of a registry whose front door is open", async (t) => {
    const { authorizer } = await world(t, { challenge: null, credentials: alice });
    assert.equal(await authorizer.authorization(PUSH), undefined);
    assert.equal(await authorizer.handleChallenge(unauthorized(undefined, "Basic realm=x"), PUSH), true);
    assert.equal(await authorizer.authorization(PUSH), BASIC);
  });

  it("to an expired token gives a new one, once for all that carried it", async (t) => {
    const { authorizer, asked } = await world(t);
    const header = await authorizer.authorization(PUSH);
    const refused = unauthorized(header, undefined);
    const together = Array.from({ length: 6 }, () => authorizer.handleChallenge(refused, PUSH));
    assert.deepEqual([...new Set(await Promise.all(together))], [true]);
    assert.equal(await authorizer.handleChallenge(refused, PUSH), true);
    assert.equal(asked.length, 2);
    assert.equal(await authorizer.authorization(PUSH), "Bearer token-2");
  });

  it("for more scope has it asked for, the missing one first", async (t) => {
    const { authorizer, asked, realm } = await world(t);
    const header = await authorizer.authorization(["repository:zoo:pull"]);
    const more = `Bearer realm="${realm}",service=s,error="insufficient_scope",scope="repository:zoo:pull,push"`;
    assert.equal(await authorizer.handleChallenge(unauthorized(header, more), ["repository:zoo:pull"]), true);
    assert.deepEqual(asked[1]?.scopes, ["repository:zoo:pull,push"]);
    const another = `Bearer realm="${realm}",service=s,scope="repository:yak:pull"`;
    const second = await authorizer.authorization(PULL);
    assert.equal(await authorizer.handleChallenge(unauthorized(second, another), PULL), true);
    assert.deepEqual(asked.at(-1)?.scopes, ["repository:yak:pull", "repository:app:pull"]);
  });

  it("to Basic credentials asks their source for better ones, once for all", async (t) => {
    const fresh: Credentials = { kind: "basic", username: "AWS", password: "fresh", from: "Amazon ECR" };
    const source = renewing(alice, fresh);
    const { authorizer } = await world(t, { challenge: "Basic realm=x", credentials: source });
    const refused = unauthorized(await authorizer.authorization(PUSH), "Basic realm=x");
    const together = Array.from({ length: 6 }, () => authorizer.handleChallenge(refused, PUSH));
    assert.deepEqual([...new Set(await Promise.all(together))], [true]);
    assert.equal(source.refusals, 1);
    assert.equal(
      await authorizer.authorization(PUSH),
      `Basic ${Buffer.from("AWS:fresh").toString("base64")}`,
    );
  });

  it("to Basic credentials is final when there are no better ones", async (t) => {
    const { authorizer } = await world(t, { challenge: "Basic realm=x", credentials: alice });
    const header = await authorizer.authorization(PUSH);
    assert.equal(await authorizer.handleChallenge(unauthorized(header, "Basic realm=x"), PUSH), false);
    assert.equal(await authorizer.handleChallenge(unauthorized(header, "Basic realm=x"), PUSH), false);
  });

  it("to nobody is final when nobody is all we are", async (t) => {
    const { authorizer } = await world(t, { challenge: "Basic realm=x" });
    assert.equal(await authorizer.handleChallenge(unauthorized(undefined, "Basic realm=x"), PULL), false);
  });

  it("of 403 is a lack of permission while the credentials are fresh, and may be expiry later", async (t) => {
    const fresh: Credentials = { kind: "basic", username: "AWS", password: "fresh", from: "Amazon ECR" };
    const source = renewing(alice, fresh);
    const { authorizer, clock } = await world(t, { challenge: "Basic realm=x", credentials: source });
    const header = await authorizer.authorization(PUSH);
    assert.equal(await authorizer.handleChallenge(unauthorized(header, undefined, 403), PUSH), false);
    assert.equal(source.refusals, 0);
    clock.now += 60_000;
    assert.equal(await authorizer.handleChallenge(unauthorized(header, undefined, 403), PUSH), true);
  });
});

describe("secrets", () => {
  it("secrets are in no event and no error of a login that fails", async (t) => {
    const credentials: Credentials = { kind: "identity", token: CANARY, from: "the test" };
    const token: NonNullable<WorldOptions["token"]> = (asked, _, response) => {
      response.writeHead(403);
      return { token: CANARY, message: `bad password=${CANARY} ${asked.authorization}` };
    };
    const { authorizer, events } = await world(t, { credentials, token });
    const error = await authorizer.authorization(PUSH).catch((reason: unknown) => reason);
    const shown = inspect([events, error], { depth: 20, showHidden: true });
    assert.match(shown, /DENIED/);
    assert.ok(!shown.includes(CANARY), shown);
    assert.ok(!shown.includes(Buffer.from(`<token>:${CANARY}`).toString("base64")), shown);
  });
});

describe("the tables of other clients", () => {
  interface Case {
    readonly id: string;
    readonly kind: string;
    readonly input: readonly string[] | string | null;
    readonly expect: {
      readonly scopes?: readonly string[] | null;
      readonly actions?: readonly string[] | null;
      readonly error?: boolean;
      readonly token?: string;
    };
  }
  const table = corpus<Case>("registry-http");
  for (const { id, kind, input, expect } of table.cases) {
    if (kind === "scope-merge") {
      it(`${id}: scopes ${input}`, () => assert.deepEqual(mergeScopes(listOf(input)), expect.scopes ?? []));
    }
    if (kind === "action-merge") {
      it(`${id}: actions ${input}`, () =>
        assert.deepEqual(mergeActions(listOf(input)), expect.actions ?? []));
    }
    if (kind === "token-response-body") {
      // A token's life counts from when it was asked for, not from the server's `issued_at`: clocks differ.
      it(`${id}: token ${input}`, () => {
        const realm = new URL("https://auth.example.com/token");
        if (expect.error)
          return assert.throws(() => parseToken(String(input), realm), { code: "REGISTRY_ANSWER" });
        assert.equal(parseToken(String(input), realm).token, expect.token);
      });
    }
  }

  it("agree that a token lives a minute at least", () => {
    const realm = new URL("https://auth.example.com/token");
    const lives = ['{"token":"a"}', '{"token":"a","expires_in":5}', '{"token":"a","expires_in":100}'];
    assert.deepEqual(
      lives.map((answer) => parseToken(answer, realm).lifeMs),
      [60_000, 60_000, 100_000],
    );
  });
});

function listOf(input: readonly string[] | string | null): readonly string[] {
  return Array.isArray(input) ? input : [];
}

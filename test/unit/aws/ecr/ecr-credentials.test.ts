import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ecrCredentials } from "../../../../src/aws/ecr/ecr-credentials.ts";
import type { BuildEvent } from "../../../../src/events.ts";
import type { Environment } from "../../../../src/session/session.ts";
import { later } from "../../../support/time.ts";

const HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const SECRET = "canary/secret+access/key";
const SESSION = "canary-session-token";
const HOUR_MS = 60 * 60 * 1000;
const PASSWORD = "canary-registry-password";

interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  /** The headers come, and nothing after them. */
  readonly stalls?: true;
}

/** The JSON 1.1 protocol of the ECR API, for one action. */
class FakeApi {
  readonly requests: IncomingMessage[] = [];
  answers: Answer[] = [];
  readonly #server: Server = createServer((request, response) => {
    this.requests.push(request.resume());
    const { status = 200, body = this.#token(), stalls } = this.answers.shift() ?? {};
    const date = new Date(Date.now()).toUTCString(); // of the same clock as the client's
    response.writeHead(status, { "content-type": "application/x-amz-json-1.1", date }).flushHeaders();
    if (!stalls) response.end(JSON.stringify(body));
  });

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #token(): unknown {
    const authorizationToken = Buffer.from(`AWS:${PASSWORD}-${this.requests.length}`).toString("base64");
    const expiresAt = (Date.now() + 12 * HOUR_MS) / 1000;
    return { authorizationData: [{ authorizationToken, expiresAt, proxyEndpoint: `https://${HOST}` }] };
  }
}

const home = mkdtempSync(join(tmpdir(), "lambda-pack-aws-"));
const api = new FakeApi();

/** Nobody has signed in to it. */
const SSO_PROFILE = `
[profile sso]
sso_session = company
sso_account_id = 123456789012
sso_role_name = Deploy
[sso-session company]
sso_region = eu-west-1
sso_start_url = https://example.awsapps.com/start
`;

/** What the SDK would find on this machine is not a part of these tests. */
function forgetAws(): void {
  for (const name of Object.keys(process.env)) if (/^AWS_|_proxy$/i.test(name)) delete process.env[name];
  Object.assign(process.env, {
    HOME: home,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: join(home, "config"),
    AWS_SHARED_CREDENTIALS_FILE: join(home, "credentials"),
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  });
}

function environment(more: Environment = {}): Environment {
  return {
    AWS_ENDPOINT_URL_ECR: api.url,
    AWS_ACCESS_KEY_ID: "AKIACANARYCANARYCAN1",
    AWS_SECRET_ACCESS_KEY: SECRET,
    AWS_SESSION_TOKEN: SESSION,
    ...more,
  };
}

function refusal(type: string, message: string, status = 400): Answer {
  return { status, body: { __type: type, message } };
}

interface Failure {
  readonly cause: unknown;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

async function failure(env: Environment = environment(), host = HOST): Promise<Failure> {
  const events: BuildEvent[] = [];
  try {
    await ecrCredentials({ environment: env, onEvent: (event) => events.push(event) }).get(host, "app");
  } catch (error) {
    const { code, message, hint, cause } = error as Failure & { cause: unknown };
    assert.doesNotMatch(JSON.stringify([code, message, hint, String(cause), events]), /canary/i);
    return { code, message, hint, cause };
  }
  throw new Error("it was given credentials");
}

before(async () => {
  forgetAws();
  writeFileSync(join(home, "config"), SSO_PROFILE);
  await api.start();
});
afterEach(() => {
  api.requests.length = 0;
  api.answers = [];
});
after(() => {
  api.stop();
  rmSync(home, { recursive: true, force: true });
});

describe("credentials for an ECR registry", () => {
  it("credentials for an ECR registry are the login that GetAuthorizationToken gives, as a password", async () => {
    const source = ecrCredentials({ environment: environment() });
    assert.deepEqual(await source.get(HOST, "app"), {
      kind: "basic",
      username: "AWS",
      password: `${PASSWORD}-1`,
      from: "Amazon ECR",
    });
    const [{ method, headers } = {} as IncomingMessage] = api.requests;
    assert.equal(method, "POST");
    assert.equal(headers["x-amz-target"], "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken");
  });

  it("credentials for an ECR registry are asked for in the region of the host, whatever AWS_REGION says", async () => {
    await ecrCredentials({ environment: environment({ AWS_REGION: "us-east-1" }) }).get(HOST, "app");
    assert.match(String(api.requests[0]?.headers.authorization), /\/eu-west-1\/ecr\/aws4_request/);
  });

  it("credentials for an ECR registry are asked for once by many at once, and remembered", async () => {
    const source = ecrCredentials({ environment: environment() });
    const all = await Promise.all(Array.from({ length: 8 }, (_, index) => source.get(HOST, `app${index}`)));
    await source.get(HOST, "app");
    assert.equal(new Set(all).size, 1);
    assert.equal(api.requests.length, 1);
  });

  it("serve every account of a region, and no other region", async () => {
    const source = ecrCredentials({ environment: environment() });
    for (const host of [HOST, HOST.replace("1234", "9999"), HOST.replace("eu-west-1", "eu-west-2")]) {
      await source.get(host, "app");
    }
    assert.equal(api.requests.length, 2);
  });

  it("credentials for an ECR registry are asked for again when they were refused", async () => {
    const source = ecrCredentials({ environment: environment() });
    const first = await source.get(HOST, "app");
    const second = await source.get(HOST, "app", { refused: true });
    assert.notDeepEqual(second, first);
  });

  it("credentials for an ECR registry are renewed at half their life", async () => {
    const source = ecrCredentials({ environment: environment() });
    const first = await source.get(HOST, "app");
    assert.deepEqual(await later(5.9 * HOUR_MS, () => source.get(HOST, "app")), first);
    assert.notDeepEqual(await later(6.1 * HOUR_MS, () => source.get(HOST, "app")), first);
  });

  it("outlive a renewal that fails, as long as they are good", async () => {
    const source = ecrCredentials({ environment: environment() });
    const first = await source.get(HOST, "app");
    api.answers = [refusal("AccessDeniedException", "no")];
    const afterHalf = () => source.get(HOST, "app");
    assert.deepEqual(await later(6.1 * HOUR_MS, afterHalf), first);
    assert.deepEqual(await later(6.1 * HOUR_MS, afterHalf), first);
    assert.equal(api.requests.length, 2, "a failed renewal is not tried at every request");
  });

  it("come after a passing fault of the API", async () => {
    api.answers = [refusal("ServerException", "try again", 500)];
    assert.equal((await ecrCredentials({ environment: environment() }).get(HOST, "app"))?.kind, "basic");
  });

  it("credentials for an ECR registry are asked for again after a failure", async () => {
    api.answers = [refusal("AccessDeniedException", "no")];
    const source = ecrCredentials({ environment: environment() });
    await assert.rejects(source.get(HOST, "app"), { code: "DENIED" });
    assert.equal((await source.get(HOST, "app"))?.kind, "basic");
  });

  it("credentials for an ECR registry are told as a request in the events, without anything secret", async () => {
    const events: BuildEvent[] = [];
    await ecrCredentials({ environment: environment(), onEvent: (event) => events.push(event) }).get(
      HOST,
      "app",
    );
    const [event] = events;
    assert.equal(event?.type === "request" && event.status, 200);
    assert.doesNotMatch(JSON.stringify(events), /canary/i);
  });

  it("stop being asked for when the caller aborts", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await assert.rejects(
      ecrCredentials({ environment: environment() }).get(HOST, "app", { signal }),
      /enough/,
    );
    assert.equal(api.requests.length, 0);
  });
});

describe("without a login from AWS, the error", () => {
  it("says that there are no AWS credentials, and how to get some", async () => {
    const none = await failure({ AWS_ENDPOINT_URL_ECR: api.url });
    assert.equal(none.code, "CREDENTIALS_INVALID");
    assert.match(none.message, /no AWS credentials: AWS cannot give a login for 123456789012\.dkr\.ecr/);
    assert.match(none.hint, /aws sso login/);
  });

  it("names the profile that does not exist", async () => {
    const none = await failure({ AWS_ENDPOINT_URL_ECR: api.url, AWS_PROFILE: "nobody" });
    assert.equal(none.code, "CREDENTIALS_INVALID");
    assert.match(none.message, /nobody/);
  });

  it("says that one has to sign in to SSO again", async () => {
    const none = await failure({ AWS_ENDPOINT_URL_ECR: api.url, AWS_PROFILE: "sso" });
    assert.equal(none.code, "CREDENTIALS_INVALID");
    assert.match(none.message, /AWS SSO session is over/);
    assert.match(none.hint, /aws sso login/);
  });

  it("says that the clock is wrong, when the SDK's own correction did not help", async () => {
    const skewed = "Signature expired: 20261123T120000Z is now earlier than 20261123T130000Z";
    api.answers = Array.from({ length: 3 }, () => refusal("InvalidSignatureException", skewed));
    const error = await failure();
    assert.equal(error.code, "CREDENTIALS_INVALID");
    assert.match(error.message, /clock of this machine is wrong/);
  });

  const cases: readonly (readonly [string, Answer, string, RegExp])[] = [
    [
      "names the action that is not allowed",
      refusal(
        "AccessDeniedException",
        "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:GetAuthorizationToken on resource: * because no identity-based policy allows it",
      ),
      "DENIED",
      /ecr:GetAuthorizationToken is not allowed \(User: arn:aws:iam::123456789012:user\/ci/,
    ],
    [
      "says that the session has expired",
      refusal("ExpiredTokenException", "The security token included in the request is expired"),
      "CREDENTIALS_INVALID",
      /session has expired/,
    ],
    [
      "says that AWS does not know the keys",
      refusal("UnrecognizedClientException", "The security token included in the request is invalid."),
      "CREDENTIALS_INVALID",
      /does not know these keys/,
    ],
    [
      "passes on what it does not know, redacted",
      refusal("OddException", `unexpected Authorization: Basic ${SECRET} password=${PASSWORD}`),
      "REGISTRY_ANSWER",
      /OddException: unexpected/,
    ],
    [
      "says that the answer has no token",
      { body: { authorizationData: [] } },
      "REGISTRY_ANSWER",
      /no authorization token/,
    ],
  ];
  for (const [name, answer, code, message] of cases) {
    it(name, async () => {
      api.answers = [answer, answer, answer];
      const error = await failure();
      assert.equal(error.code, code);
      assert.match(error.message, message);
    });
  }

  it("says that it was throttled, after more than one attempt", async () => {
    api.answers = Array.from({ length: 3 }, () => refusal("ThrottlingException", "Rate exceeded"));
    const error = await failure();
    assert.equal(error.code, "REGISTRY_ANSWER");
    assert.match(error.message, /Rate exceeded/);
  });

  it("says that AWS cannot be reached when it begins to answer and then says nothing more", async () => {
    api.answers = [{ stalls: true }, { stalls: true }, { stalls: true }];
    await assert.rejects(ecrCredentials({ environment: environment(), answerMs: 100 }).get(HOST, "app"), {
      code: "REGISTRY_UNREACHABLE",
    });
  });

  it("says that AWS cannot be reached", async () => {
    const error = await failure(environment({ AWS_ENDPOINT_URL_ECR: "http://127.0.0.1:9" }));
    assert.equal(error.code, "REGISTRY_UNREACHABLE");
    assert.match(error.message, /ECONNREFUSED/);
    // By this a registry's retries know that it may pass.
    assert.ok(error.cause instanceof Error && "code" in error.cause);
    assert.equal(error.cause.code, "ECONNREFUSED");
  });
});

describe("the way to AWS", () => {
  /** Tells which host was asked for, and lets nobody through. */
  async function asked(host: string): Promise<string> {
    const targets: string[] = [];
    const proxy = createServer().on("connect", ({ url }, socket) => {
      targets.push(url ?? "");
      socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const { port } = proxy.address() as AddressInfo;
    const env = {
      ...environment(),
      AWS_ENDPOINT_URL_ECR: undefined,
      HTTPS_PROXY: `http://127.0.0.1:${port}`,
    };
    const { code } = await failure(env, host);
    proxy.close();
    assert.equal(code, "REGISTRY_UNREACHABLE");
    return targets[0] ?? "";
  }

  it("leads through HTTPS_PROXY to the API of the host's region", async () => {
    assert.equal(await asked(HOST), "api.ecr.eu-west-1.amazonaws.com:443");
  });
  it("leads to the FIPS API for a FIPS host", async () => {
    assert.match(
      await asked(HOST.replace(".ecr.", ".ecr-fips.").replace("eu-west-1", "us-east-1")),
      /ecr-fips\.us-east-1/,
    );
  });
  it("leads to the dual-stack API for a dual-stack host", async () => {
    assert.equal(await asked("123456789012.dkr-ecr.eu-west-1.on.aws"), "ecr.eu-west-1.api.aws:443");
  });
  it("leads to China's API for a host in China", async () => {
    const host = HOST.replace("eu-west-1.amazonaws.com", "cn-north-1.amazonaws.com.cn");
    assert.equal(await asked(host), "api.ecr.cn-north-1.amazonaws.com.cn:443");
  });
});

describe("hosts that are not ECR's", () => {
  /** Whether the SDK is in memory after credentials for `host` were asked for, in a process of its own. */
  async function loadsSdk(host: string): Promise<boolean> {
    const source = fileURLToPath(new URL("../../../../src/aws/ecr/ecr-credentials.ts", import.meta.url));
    const program = `
      import { createRequire } from "node:module";
      import { ecrCredentials } from ${JSON.stringify(source)};
      const environment = ${JSON.stringify(environment())};
      await ecrCredentials({ environment }).get(${JSON.stringify(host)}, "app");
      const { cache } = createRequire(${JSON.stringify(source)});
      console.log(Object.keys(cache).some((file) => file.includes("client-ecr")));`;
    const args = ["--import", "tsx", "--input-type=module", "--eval", program];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    return stdout.trim() === "true";
  }

  for (const host of ["ghcr.io", "public.ecr.aws", "127.0.0.1:5000", `${HOST}.evil.example`]) {
    it(`get nothing: ${host}`, async () => {
      assert.equal(await ecrCredentials({ environment: environment() }).get(host, "app"), undefined);
      assert.equal(api.requests.length, 0);
    });
  }
  it("hosts that are not ECR's do not load the SDK", async () =>
    assert.equal(await loadsSdk("ghcr.io"), false));
  it("hosts that are not ECR's are the only ones that do not", async () =>
    assert.equal(await loadsSdk(HOST), true));
});

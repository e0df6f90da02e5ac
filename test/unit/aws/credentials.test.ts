import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { ecrCredentials } from "../../../src/aws/ecr/ecr-credentials.ts";
import { EXIT_STATUS } from "../../../src/cli/exit.ts";
import type { ErrorCode } from "../../../src/errors.ts";
import type { Environment } from "../../../src/session/session.ts";
import { CertificateAuthority } from "../../support/http/certificates.ts";
import { ConnectProxy } from "../../support/http/proxy.ts";
import { resolveName } from "../../support/http/resolver.ts";
import { run } from "../../support/run.ts";

const HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const NAMES = ["api.ecr", "sts", "portal.sso", "oidc"].map((name) => `${name}.eu-west-1.amazonaws.com`);

type Answer = readonly [status: number, body: string];
/** What another answer than the usual one is, by the first label of the host's name. */
type Answers = Readonly<Record<string, (body: string) => Answer | undefined>>;

const home = mkdtempSync(join(tmpdir(), "lambda-pack-credentials-"));
const authority = new CertificateAuthority();
const proxy = new ConnectProxy();
let proxyUrl = "";
/** Others in each test, as the SDK reads each file once for a process. */
let configFile = "";
let credentialsFile = "";
let answers: Answers = {};
/** The access key that each request to ECR was signed with. */
let keys: string[] = [];

const server = createServer(
  { SNICallback: (name, done) => done(null, authority.context(name)) },
  (request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      const [status, text] = answerTo(request, body);
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(text);
    });
  },
);

function answerTo({ headers, url = "" }: IncomingMessage, body: string): Answer {
  const [service = ""] = (headers.host ?? "").split(".");
  const other = answers[service]?.(body);
  if (other) return other;
  if (service === "api") {
    keys.push(/Credential=(\w+)\//.exec(headers.authorization ?? "")?.[1] ?? "none");
    const authorizationToken = Buffer.from("AWS:password").toString("base64");
    return [200, JSON.stringify({ authorizationData: [{ authorizationToken, expiresAt: 4e9 }] })];
  }
  if (service === "portal")
    return [
      200,
      JSON.stringify({
        roleCredentials: {
          accessKeyId: "ASIASSO",
          secretAccessKey: "s",
          sessionToken: "t",
          expiration: 4e12,
        },
      }),
    ];
  if (service === "oidc")
    return [200, JSON.stringify({ accessToken: "new", expiresIn: 3600, tokenType: "Bearer", url })];
  return assumed(/Action=(\w+)/.exec(body)?.[1] ?? "AssumeRole");
}

function assumed(action: string): Answer {
  const keys =
    "<AccessKeyId>ASIASTS</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>";
  return [
    200,
    `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials>${keys}</Credentials></${action}Result></${action}Response>`,
  ];
}

function refused(code: string, message: string, status = 400): Answer {
  return [
    status,
    `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
  ];
}

/** A token of SSO in the cache, which is good until `expiresAt`. */
function ssoProfile(expiresAt: string): void {
  writeFileSync(
    configFile,
    "[profile s]\nsso_session=x\nsso_account_id=123456789012\nsso_role_name=Admin\n[sso-session x]\nsso_region=eu-west-1\nsso_start_url=https://x.awsapps.com/start\n",
  );
  const directory = join(home, ".aws", "sso", "cache");
  mkdirSync(directory, { recursive: true });
  const token = {
    ...{ accessToken: "at", expiresAt, clientId: "c", clientSecret: "cs", refreshToken: "rt" },
    ...{ registrationExpiresAt: "2099-01-01T00:00:00Z", region: "eu-west-1" },
  };
  const name = createHash("sha1").update("x").digest("hex");
  writeFileSync(join(directory, `${name}.json`), JSON.stringify(token));
}

function environment(more: Environment = {}): Environment {
  return { HTTPS_PROXY: proxyUrl, AWS_CA_BUNDLE: authority.file, AWS_CONFIG_FILE: configFile, ...more };
}

function login(more: Environment = {}, terminal?: { input: PassThrough; output: PassThrough }) {
  return ecrCredentials({ environment: environment(more), terminal }).get(HOST, "app");
}

interface Failure {
  readonly code: ErrorCode;
  readonly exit: number;
  readonly message: string;
  readonly hint: string;
}

async function failure(more: Environment = {}): Promise<Failure> {
  try {
    await login(more);
  } catch (error) {
    const { code, message, hint } = error as Failure;
    return { code, exit: EXIT_STATUS[code], message, hint };
  }
  throw new Error("there are credentials");
}

function proxied(): readonly string[] {
  return [...new Set(proxy.requests.map(({ host }) => host))];
}

const WEB_IDENTITY = { AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/r" };

before(async () => {
  for (const name of Object.keys(process.env)) if (/^AWS_|_proxy$/i.test(name)) delete process.env[name];
  Object.assign(process.env, {
    HOME: home,
    AWS_EC2_METADATA_DISABLED: "true",
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  for (const name of NAMES) proxy.route(name, port);
  proxyUrl = await proxy.start();
});
beforeEach(() => {
  const directory = mkdtempSync(join(home, "files-"));
  configFile = join(directory, "config");
  credentialsFile = join(directory, "credentials");
  Object.assign(process.env, { AWS_CONFIG_FILE: configFile, AWS_SHARED_CREDENTIALS_FILE: credentialsFile });
  writeFileSync(configFile, "");
  writeFileSync(credentialsFile, "");
  writeFileSync(join(home, "token"), "eyJ.token");
});
afterEach(() => {
  answers = {};
  keys = [];
  proxy.requests.length = 0;
  proxy.refused.length = 0;
  for (const name of ["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"]) delete process.env[name];
});
after(async () => {
  await proxy.stop();
  server.closeAllConnections();
  server.close();
  authority.remove();
  rmSync(home, { recursive: true, force: true });
});

describe("AWS credentials behind HTTPS_PROXY", () => {
  it("AWS SSO is asked through the proxy for the keys of a role", async () => {
    ssoProfile("2099-01-01T00:00:00Z");
    await login({ AWS_PROFILE: "s" });
    assert.deepEqual(keys, ["ASIASSO"]);
    assert.deepEqual(proxied(), ["portal.sso.eu-west-1.amazonaws.com", "api.ecr.eu-west-1.amazonaws.com"]);
  });

  it("an AWS SSO token that is over is renewed through the proxy", async () => {
    ssoProfile("2020-01-01T00:00:00Z");
    await login({ AWS_PROFILE: "s" });
    assert.equal(proxied()[0], "oidc.eu-west-1.amazonaws.com");
    assert.deepEqual(keys, ["ASIASSO"]);
  });

  it("STS goes through the proxy when NO_PROXY names only the API of ECR", async () => {
    useWebIdentity();
    const direct = lookUps("api.ecr.eu-west-1.amazonaws.com");
    const error = await failure({ NO_PROXY: "api.ecr.eu-west-1.amazonaws.com" });
    assert.equal(error.code, "REGISTRY_UNREACHABLE", "nothing listens where ECR is looked for directly");
    assert.deepEqual(proxied(), ["sts.eu-west-1.amazonaws.com"]);
    assert.ok(direct() > 0);
  });

  it("STS goes direct when NO_PROXY names it, and the error names STS", async () => {
    useWebIdentity();
    const direct = lookUps("sts.eu-west-1.amazonaws.com");
    const error = await failure({ NO_PROXY: "sts.eu-west-1.amazonaws.com" });
    assert.match(error.message, /^STS or SSO cannot be reached/);
    assert.match(error.hint, /com\.amazonaws\.<region>\.sts/);
    assert.deepEqual(proxied(), []);
    assert.ok(direct() > 0);
  });

  const partitions = [
    ["China", HOST.replace("eu-west-1.amazonaws.com", "cn-north-1.amazonaws.com.cn"), ".amazonaws.com.cn"],
    ["the dual stack", "123456789012.dkr-ecr.eu-west-1.on.aws", ".api.aws"],
    ["the European sovereign cloud", "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", ".amazonaws.eu"],
    ["FIPS", "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", ".amazonaws.com"],
  ] as const;
  const apis: Readonly<Record<string, string>> = {
    China: "api.ecr.cn-north-1.amazonaws.com.cn",
    "the dual stack": "ecr.eu-west-1.api.aws",
    "the European sovereign cloud": "api.ecr.eusc-de-east-1.amazonaws.eu",
    FIPS: "api.ecr-fips.us-east-1.amazonaws.com",
  };
  for (const [place, host, noProxy] of partitions) {
    it(`NO_PROXY=${noProxy} keeps the API of ${place} off the proxy`, async () => {
      const direct = lookUps(apis[place] ?? "");
      const env = environment({ NO_PROXY: noProxy, AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: "s" });
      await assert.rejects(ecrCredentials({ environment: env }).get(host, "app"));
      assert.deepEqual([...proxied(), ...proxy.refused], []);
      assert.ok(direct() > 0);
    });
  }

  it("NO_PROXY=.amazonaws.com leaves the API of China behind the proxy", async () => {
    const env = environment({
      ...{ NO_PROXY: ".amazonaws.com", AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: "s" },
    });
    const host = HOST.replace("eu-west-1.amazonaws.com", "cn-north-1.amazonaws.com.cn");
    await assert.rejects(ecrCredentials({ environment: env }).get(host, "app"));
    assert.deepEqual([...new Set(proxy.refused)], ["api.ecr.cn-north-1.amazonaws.com.cn:443"]);
  });
});

describe("keys in the environment together with AWS_PROFILE", () => {
  const env = { AWS_ACCESS_KEY_ID: "AKIDENV", AWS_SECRET_ACCESS_KEY: "s", AWS_PROFILE: "p" };

  it("the keys win, as in the AWS CLI", async () => {
    writeFileSync(credentialsFile, "[p]\naws_access_key_id=AKIDPROFILE\naws_secret_access_key=s\n");
    await login(env);
    assert.deepEqual(keys, ["AKIDENV"]);
  });

  it("the profile wins when it asks for the keys of the environment itself", async () => {
    writeFileSync(
      configFile,
      "[profile p]\nregion = eu-west-1\nrole_arn = arn:aws:iam::123456789012:role/c\ncredential_source = Environment\n",
    );
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: "AKIDENV", AWS_SECRET_ACCESS_KEY: "s" });
    try {
      await login(env);
    } finally {
      delete process.env["AWS_ACCESS_KEY_ID"];
      delete process.env["AWS_SECRET_ACCESS_KEY"];
    }
    assert.deepEqual(keys, ["ASIASTS"]);
  });
});

describe("the certificates of AWS behind a proxy that inspects TLS", () => {
  const env = { AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: "s" };

  it("an unknown authority is told with AWS_CA_BUNDLE as the fix", async () => {
    const error = await failure({ ...env, AWS_CA_BUNDLE: undefined });
    assert.deepEqual([error.code, error.exit], ["REGISTRY_UNREACHABLE", 5]);
    assert.match(error.hint, /AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS/);
  });

  it("ca_bundle of the profile is trusted", async () => {
    writeFileSync(configFile, `[default]\nca_bundle = ${authority.file}\n`);
    await login({ ...env, AWS_CA_BUNDLE: undefined });
    assert.deepEqual(keys, ["AKID"]);
  });

  it("SSL_CERT_FILE is trusted", async () => {
    await login({ ...env, AWS_CA_BUNDLE: undefined, SSL_CERT_FILE: authority.file });
    assert.deepEqual(keys, ["AKID"]);
  });

  it("the operating system's authorities are trusted if an unknown one signed", async () => {
    const source = (path: string) =>
      JSON.stringify(new URL(`../../../src/aws/${path}`, import.meta.url).href);
    const script = `
      import { ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
      import { openTransport } from ${source("transport.ts")};
      const environment = { NODE_USE_SYSTEM_CA: "1", HTTPS_PROXY: ${JSON.stringify(proxyUrl)} };
      const transport = await openTransport(environment, 4, [process.env.SSL_CERT_FILE]);
      const client = new ECRClient({
        region: "eu-west-1",
        requestHandler: transport.requestHandler(5000),
        credentials: { accessKeyId: "AKID", secretAccessKey: "s" },
      });
      const { authorizationData } = await client.send(new GetAuthorizationTokenCommand());
      process.stdout.write(String(authorizationData.length));
      client.destroy();
      transport.close();`;
    const args = ["--import", "tsx", "--input-type=module", "-e", script];
    // OpenSSL's variable names the system's authorities; the transport's own environment lacks it.
    assert.equal(await run(process.execPath, args, { env: { SSL_CERT_FILE: authority.file } }), "1");
    assert.deepEqual(keys, ["AKID"]);
  });

  it("a file of certificates that is not there is told with the variable that names it", async () => {
    const error = await failure({ ...env, AWS_CA_BUNDLE: join(home, "nothing.pem") });
    assert.deepEqual([error.code, error.exit], ["USAGE", 2]);
    assert.match(error.message, /the file of AWS_CA_BUNDLE is not there: .*nothing\.pem/);
  });
});

describe("web identity (OIDC) that gives no credentials", () => {
  for (const [code, message, status, exit, hint] of [
    [
      "AccessDenied",
      "Not authorized to perform sts:AssumeRoleWithWebIdentity",
      403,
      4,
      /trust policy of the role/,
    ],
    ["InvalidIdentityToken", "No OpenIDConnect provider found in your account", 400, 4, /IAM OIDC provider/],
    [
      "ExpiredTokenException",
      "Token expired: current date/time must be before",
      400,
      4,
      /new web identity token/,
    ],
    ["ValidationError", "Request ARN is invalid", 400, 4, /AWS_ROLE_ARN/],
  ] as const) {
    it(`${code} of STS ends with exit status ${exit} and names what to correct`, async () => {
      useWebIdentity();
      answers = { sts: () => refused(code, message, status) };
      const error = await failure();
      assert.equal(error.exit, exit);
      assert.match(error.hint, hint);
      assert.doesNotMatch(error.hint, /ecr:GetAuthorizationToken/);
      assert.ok(error.message.includes(message));
    });
  }

  it("a token file that is not there is named, with exit status 4", async () => {
    useWebIdentity(join(home, "no-token"));
    const error = await failure();
    assert.equal(error.exit, 4);
    assert.match(error.message, /ENOENT: .*no-token/);
    assert.match(error.hint, /AWS_WEB_IDENTITY_TOKEN_FILE/);
  });
});

describe("a profile that gives no credentials", () => {
  it("tells why credential_process failed", async () => {
    writeFileSync(configFile, "[profile p]\ncredential_process = echo vault is sealed >&2; exit 3\n");
    const error = await failure({ AWS_PROFILE: "p" });
    assert.equal(error.exit, 4);
    assert.match(error.message, /credential_process failed in the profile p.*vault is sealed/);
  });

  it("tells that credential_process wrote no JSON", async () => {
    writeFileSync(configFile, "[profile p]\ncredential_process = echo hello\n");
    const error = await failure({ AWS_PROFILE: "p" });
    assert.match(error.message, /credential_process returned invalid JSON/);
  });

  it("a profile that gives no credentials is told as missing when no file has it", async () => {
    const error = await failure({ AWS_PROFILE: "nope" });
    assert.equal(error.exit, 4);
    assert.match(error.message, /^no AWS credentials in the profile nope/);
    assert.match(error.hint, /aws configure list-profiles/);
  });
});

describe("a role that needs an MFA code", () => {
  const config =
    "[profile c]\nregion = eu-west-1\nrole_arn = arn:aws:iam::123456789012:role/c\nsource_profile = a\nmfa_serial = arn:aws:iam::123456789012:mfa/u\n";
  beforeEach(() => {
    writeFileSync(configFile, config);
    writeFileSync(credentialsFile, "[a]\naws_access_key_id=AKIDA\naws_secret_access_key=s\n");
  });

  it("a role that needs an MFA code is assumed with the code that was typed on the terminal", async () => {
    let sent = "";
    answers = {
      sts: (body) => {
        sent = body;
        return undefined;
      },
    };
    const terminal = { input: new PassThrough(), output: new PassThrough() };
    terminal.input.write("123456\n");
    await login({ AWS_PROFILE: "c" }, terminal);
    assert.match(sent, /TokenCode=123456/);
    assert.match(String(terminal.output.read()), /MFA code of arn:aws:iam::123456789012:mfa\/u: /);
    assert.deepEqual(keys, ["ASIASTS"]);
  });

  it("a role that needs an MFA code is told with the way to get a session when there is no terminal", async () => {
    const error = await failure({ AWS_PROFILE: "c" });
    assert.equal(error.exit, 4);
    assert.match(error.hint, /aws sts get-session-token/);
  });
});

describe("an answer of AWS without end", () => {
  it("an answer of AWS without end is given up before it fills the memory", async () => {
    answers = { api: () => [200, JSON.stringify({ x: "y".repeat(40 * 1024 * 1024) })] };
    const error = await failure({ AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: "s" });
    assert.equal(error.code, "REGISTRY_ANSWER");
    assert.match(error.message, /larger than 33554432 bytes/);
  });
});

/** Sends direct connections to `name` where nothing listens, and counts them. */
function lookUps(name: string): () => number {
  let count = 0;
  resolveName(name, () => {
    count += 1;
    return "nobody";
  });
  return () => count;
}

function useWebIdentity(file = join(home, "token")): void {
  Object.assign(process.env, WEB_IDENTITY, { AWS_WEB_IDENTITY_TOKEN_FILE: file });
}

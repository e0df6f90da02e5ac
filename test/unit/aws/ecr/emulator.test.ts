import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { ecrCredentials } from "../../../../src/aws/ecr/ecr-credentials.ts";
import { lambdaUri, parseEcrHost, parseRepositoryUri, repositoryUri } from "../../../../src/aws/ecr/names.ts";
import { deploy, push } from "../../../../src/index.ts";
import { parseDigest } from "../../../../src/oci/digest.ts";
import { controlPlane } from "../../../support/aws/control-plane.ts";
import { NOBODY_LISTENS } from "../../../support/http/serve.ts";
import { TestRegistry } from "../../../support/registry/registry.ts";
import { layOut, seededImage } from "../../../support/reliability/image.ts";
import { temporaryDirectory } from "../../../support/trees.ts";

const LOCALSTACK = "000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud:4566";

/** The double of ECR's API, which gives out a known login, and a registry that wants it. */
async function emulator(t: TestContext) {
  const plane = await controlPlane();
  t.after(() => plane.stop());
  plane.ecrApi.more["GetAuthorizationToken"] = () => ({
    output: {
      authorizationData: [
        {
          authorizationToken: Buffer.from("AWS:emulated").toString("base64"),
          expiresAt: Date.now() / 1000 + 3600,
        },
      ],
    },
  });
  const registry = await TestRegistry.start({ auth: "basic", user: "AWS", password: "emulated" });
  t.after(() => registry.stop());
  const source = `oci:${await layOut(temporaryDirectory(), seededImage("emulated", 2000))}:v1`;
  const cacheDir = temporaryDirectory();
  return { ...plane, registry, source, cacheDir, at: `localhost:${registry.host.split(":")[1]}` };
}

describe("the registry of an emulator", () => {
  for (const [host, AWS_ENDPOINT_URL] of [
    [LOCALSTACK, "http://localhost:4566"],
    [LOCALSTACK, "http://localhost.localstack.cloud:4566"],
    [LOCALSTACK, "http://127.0.0.1:4566"],
    ["000000000000.dkr.ecr.us-east-1.localhost:5100", "http://localhost:4566"],
    ["000000000000.dkr.ecr.us-east-1.localstack:4566", "http://localstack:4566"],
    ["000000000000.dkr.ecr.us-east-1.aws.corp.example", "https://aws.corp.example:4566"],
  ] as const) {
    it(`${host} is one of ECR with AWS_ENDPOINT_URL=${AWS_ENDPOINT_URL}`, () => {
      const expected = { accountId: "000000000000", region: "us-east-1", fips: false, dualStack: false };
      for (const environment of [{ AWS_ENDPOINT_URL }, { AWS_ENDPOINT_URL_ECR: AWS_ENDPOINT_URL }])
        assert.deepEqual(parseEcrHost(host, environment), { ...expected, emulator: host });
    });
  }

  it("at localhost is one in the region of the environment", () => {
    const environment = { AWS_ENDPOINT_URL: "http://localhost:4566", AWS_REGION: "eu-west-1" };
    assert.deepEqual(parseEcrHost("localhost:4510", environment), {
      ...{ region: "eu-west-1", fips: false, dualStack: false },
      emulator: "localhost:4510",
    });
  });

  for (const [host, environment] of [
    [LOCALSTACK, {}],
    [LOCALSTACK, { AWS_ENDPOINT_URL: "https://aws.corp.example" }],
    [LOCALSTACK, { AWS_ENDPOINT_URL: "http://localhost:4566", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" }],
    ["localhost:5000", { AWS_ENDPOINT_URL: "https://aws.corp.example" }],
    ["aws.corp.example", { AWS_ENDPOINT_URL: "https://aws.corp.example" }],
    ["000000000000.dkr.ecr.us-east-1.evil.example", { AWS_ENDPOINT_URL: "http://localhost:4566" }],
    ["000000000000.dkr.ecr.us-east-1.localhost.evil.example", { AWS_ENDPOINT_URL: "http://localhost:4566" }],
    [
      "000000000000.dkr.ecr.us-east-1.evil-aws.corp.example",
      { AWS_ENDPOINT_URL: "https://aws.corp.example" },
    ],
    ["ghcr.io", { AWS_ENDPOINT_URL: "http://localhost:4566" }],
  ] as const) {
    it(`${host} gets no login with ${JSON.stringify(environment)}`, async () => {
      assert.equal(parseEcrHost(host, environment), undefined);
      assert.equal(await ecrCredentials({ environment }).get(host, "app"), undefined);
    });
  }

  it("keeps its own name towards its users and towards Lambda", () => {
    const environment = { AWS_ENDPOINT_URL: "http://localhost:4566" };
    const repository = parseRepositoryUri(`${LOCALSTACK}/team/app:v1`, environment);
    assert.ok(repository);
    assert.equal(repositoryUri("000000000000", repository), `${LOCALSTACK}/team/app`);
    const digest = parseDigest(`sha256:${"ab".repeat(32)}`);
    const uri = `${LOCALSTACK}/team/app`;
    assert.equal(lambdaUri(uri, digest, environment), `${uri}@${digest}`);
  });

  it("the registry of an emulator is pushed to with the login that the endpoint gives", async (t) => {
    const { environment, registry, source, cacheDir, at } = await emulator(t);
    await push({ source, to: `${at}/app:v1`, environment, cacheDir });
    assert.ok(registry.tag("app", "v1"));
  });

  it("gets a repository that was not there, and a function loads the image by its own name", async (t) => {
    const { environment, ecr, registry, source, cacheDir, at } = await emulator(t);
    const role = "arn:aws:iam::123456789012:role/app";
    const options = { source, function: "app", role, repo: `${at}/app`, createRepo: true };
    // The double of Lambda takes images of AWS's own names only.
    await assert.rejects(deploy({ ...options, environment, cacheDir }), (error: Error) => {
      assert.match(error.message, new RegExp(`Source image ${at}/app@sha256:[0-9a-f]{64} is not valid`));
      return true;
    });
    assert.ok(registry.requests.some(({ kind }) => kind === "put manifest"));
    assert.ok(ecr.registry("123456789012", "eu-west-1").repositories.has("app"));
  });

  it("at localhost gets docker's own login first", async (t) => {
    const { environment, source, cacheDir } = await emulator(t);
    const registry = await TestRegistry.start({ auth: "basic", user: "me", password: "own" });
    t.after(() => registry.stop());
    const at = `localhost:${registry.host.split(":")[1]}`;
    const auths = { [at]: { auth: Buffer.from("me:own").toString("base64") } };
    const DOCKER_CONFIG = temporaryDirectory();
    writeFileSync(join(DOCKER_CONFIG, "config.json"), JSON.stringify({ auths }));
    await push({ source, to: `${at}/app:v1`, environment: { ...environment, DOCKER_CONFIG }, cacheDir });
    assert.ok(registry.tag("app", "v1"));
  });

  it("at localhost that is not an emulator's is pushed to without a login if the endpoint does not answer", async (t) => {
    const registry = await TestRegistry.start();
    t.after(() => registry.stop());
    const source = `oci:${await layOut(temporaryDirectory(), seededImage("emulated", 2000))}:v1`;
    const to = `localhost:${registry.host.split(":")[1]}/app:v1`;
    const environment = {
      HOME: temporaryDirectory(),
      AWS_ENDPOINT_URL: NOBODY_LISTENS.origin,
      AWS_ACCESS_KEY_ID: "AKIACANARYCANARYCAN1",
      AWS_SECRET_ACCESS_KEY: "s",
    };
    await push({ source, to, environment, cacheDir: temporaryDirectory() });
    assert.ok(registry.tag("app", "v1"));
  });
});

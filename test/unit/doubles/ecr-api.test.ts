import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import {
  BatchCheckLayerAvailabilityCommand,
  CreateRepositoryCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
  GetRepositoryPolicyCommand,
  SetRepositoryPolicyCommand,
} from "@aws-sdk/client-ecr";
import { FakeEcrApi } from "../../support/ecr/api.ts";
import { ask, complaint } from "../../support/ecr/client.ts";
import { failing } from "../../support/ecr/faults.ts";
import { sha256 } from "../../support/ecr/repositories.ts";
import { FakeEcr } from "../../support/ecr.ts";

const credentials = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "canary" };
let clock = Date.now();
const ecr = new FakeEcr({ now: () => clock });
const api = new FakeEcrApi(ecr, credentials);
let registry: string;
let endpoint: string;
let client: ECRClient;

const clientFor = (region: string, accessKeyId = credentials.accessKeyId) =>
  new ECRClient({ region, endpoint, credentials: { ...credentials, accessKeyId }, maxAttempts: 1 });

before(async () => {
  registry = await ecr.start();
  endpoint = await api.start();
  client = clientFor("eu-west-1");
});
after(async () => {
  client.destroy();
  await Promise.all([ecr.stop(), api.stop()]);
});
beforeEach(() => {
  ecr.registry().repositories.clear();
  api.denied.clear();
  api.sessionExpired = false;
  api.origin.fault = () => undefined;
});

describe("the fake ECR API, asked by the AWS SDK", () => {
  it("gives a token that opens the registries of its region for 12 hours, and only those", async () => {
    const { authorizationData = [] } = await client.send(new GetAuthorizationTokenCommand({}));
    const [data] = authorizationData;
    assert.equal(data?.proxyEndpoint, "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com");
    assert.ok(Math.abs(Number(data?.expiresAt) - (clock + 12 * 3600 * 1000)) < 1000);
    const authorization = `Basic ${data?.authorizationToken}`;
    const there = { headers: { authorization, host: "123456789012.dkr.ecr.us-west-2.amazonaws.com" } };
    assert.equal((await ask(`${registry}/v2/`, { headers: { authorization } })).status, 200);
    assert.equal((await ask(`${registry}/v2/`, there)).status, 401);
    clock += 12 * 3600 * 1000;
    assert.match(complaint(await ask(`${registry}/v2/`, { headers: { authorization } })), /^403 DENIED/);
  });

  it("gives a token of the region that the call is signed for", async () => {
    const west = clientFor("us-west-2");
    const { authorizationData = [] } = await west.send(new GetAuthorizationTokenCommand({}));
    assert.match(String(authorizationData[0]?.proxyEndpoint), /ecr\.us-west-2\./);
    west.destroy();
  });

  it("makes a repository once, and describes it", async () => {
    const create = new CreateRepositoryCommand({
      repositoryName: "team/app",
      imageTagMutability: "IMMUTABLE",
    });
    const { repository } = await client.send(create);
    assert.equal(repository?.repositoryUri, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app");
    assert.equal(ecr.repository("team/app").immutable, true);
    await assert.rejects(client.send(create), { name: "RepositoryAlreadyExistsException" });
    const found = await client.send(new DescribeRepositoriesCommand({ repositoryNames: ["team/app"] }));
    assert.equal(found.repositories?.[0]?.imageTagMutability, "IMMUTABLE");
    const none = new DescribeRepositoriesCommand({ repositoryNames: ["none"] });
    await assert.rejects(client.send(none), {
      name: "RepositoryNotFoundException",
      message: "The repository with name 'none' does not exist in the registry with id '123456789012'",
    });
  });

  it("refuses a repository name outside the grammar", async () => {
    const create = new CreateRepositoryCommand({ repositoryName: "Team/App" });
    await assert.rejects(client.send(create), { name: "InvalidParameterException" });
  });

  it("tells which layers a repository has, up to 100 at once", async () => {
    const here = ecr.repository("app").addBlob("layer");
    const gone = sha256(Buffer.from("gone"));
    const check = (layerDigests: string[]) =>
      client.send(new BatchCheckLayerAvailabilityCommand({ repositoryName: "app", layerDigests }));
    const { layers = [], failures = [] } = await check([here, gone, "nonsense"]);
    const told = layers.map(({ layerAvailability, layerSize }) => [layerAvailability, layerSize]);
    assert.deepEqual(told, [
      ["AVAILABLE", 5],
      ["UNAVAILABLE", undefined],
    ]);
    assert.equal(failures[0]?.failureCode, "InvalidLayerDigest");
    await assert.rejects(check(Array.from({ length: 101 }, () => here)), {
      name: "InvalidParameterException",
    });
  });

  it("keeps a repository policy", async () => {
    ecr.repository("app");
    const get = new GetRepositoryPolicyCommand({ repositoryName: "app" });
    await assert.rejects(client.send(get), { name: "RepositoryPolicyNotFoundException" });
    await client.send(new SetRepositoryPolicyCommand({ repositoryName: "app", policyText: "{}" }));
    assert.equal((await client.send(get)).policyText, "{}");
  });

  it("denies an operation, a key that is not known and a session that is over", async () => {
    const login = () => client.send(new GetAuthorizationTokenCommand({}));
    api.denied.add("GetAuthorizationToken");
    await assert.rejects(login(), {
      name: "AccessDeniedException",
      message: /perform: ecr:GetAuthorizationToken/,
    });
    api.denied.clear();
    api.sessionExpired = true;
    await assert.rejects(login(), { name: "ExpiredTokenException" });
    const stranger = clientFor("eu-west-1", "AKIAOTHER");
    await assert.rejects(stranger.send(new GetAuthorizationTokenCommand({})), {
      name: "UnrecognizedClientException",
    });
    stranger.destroy();
  });

  it("fails as a plan says", async () => {
    const body = JSON.stringify({ __type: "ThrottlingException", message: "Rate exceeded" });
    api.origin.fault = failing("GetAuthorizationToken", { do: "answer", status: 400, body }, { times: 1 });
    await assert.rejects(client.send(new GetAuthorizationTokenCommand({})), { name: "ThrottlingException" });
    await client.send(new GetAuthorizationTokenCommand({}));
  });
});

describe("the fake ECR API, asked by hand", () => {
  const target = { "x-amz-target": "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken" };
  const typeOf = async (headers: Record<string, string>) => {
    const { status, body } = await ask(endpoint, { method: "POST", body: "{}", headers });
    return `${status} ${JSON.parse(String(body)).__type}`;
  };

  it("wants a signature, whole", async () => {
    assert.equal(await typeOf(target), "400 MissingAuthenticationTokenException");
    const half = { ...target, authorization: "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE" };
    assert.equal(await typeOf(half), "400 IncompleteSignatureException");
  });

  it("knows no other operation", async () => {
    const scope = "AKIAEXAMPLE/20260101/eu-west-1/ecr/aws4_request";
    const signature = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=${"0".repeat(64)}`;
    const headers = {
      authorization: signature,
      "x-amz-date": "20260101T000000Z",
      "x-amz-target": "Other.Thing",
    };
    assert.equal(await typeOf(headers), "400 UnknownOperationException");
  });
});

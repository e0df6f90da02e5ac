import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { fileURLToPath } from "node:url";
import { build, check } from "../../src/index.ts";
import { describeReal } from "../support/components.ts";
import { TestRegistry } from "../support/registry.ts";
import { tryRun } from "../support/run.ts";
import { makeTree, temporaryFolder } from "../support/trees.ts";

/** What writes the assets and what publishes them; cdk-assets 4.7.3 reads no manifest of a newer library. */
const PACKAGES = ["cdk-assets@4.7.3", "aws-cdk-lib@2.270.0", "constructs@10.8.1"];
const ACCOUNT = "123456789012";
const REPOSITORY = `cdk-hnb659fds-container-assets-${ACCOUNT}-eu-west-1`;

/** 190 MB, installed once for this machine. */
async function installCdk(): Promise<string> {
  const directory = join(tmpdir(), `lambda-pack-components-${process.getuid?.() ?? 0}`, PACKAGES.join("-"));
  if (existsSync(join(directory, "installed"))) return directory;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "package.json"), '{"private":true}');
  const { status, stderr } = await tryRun("npm", [
    "install",
    "--no-audit",
    "--no-fund",
    "--prefix",
    directory,
    ...PACKAGES,
  ]);
  assert.equal(status, 0, stderr);
  writeFileSync(join(directory, "installed"), "");
  return directory;
}

/** A stack with a function from a Dockerfile; CloudFormation is never asked. */
const APP = `
const cdk = require("aws-cdk-lib");
const lambda = require("aws-cdk-lib/aws-lambda");
const assets = require("aws-cdk-lib/aws-ecr-assets");
const app = new cdk.App({ outdir: process.argv[3] });
const stack = new cdk.Stack(app, "S", { env: { account: "${ACCOUNT}", region: "eu-west-1" } });
new lambda.DockerImageFunction(stack, "F", {
  code: lambda.DockerImageCode.fromImageAsset(process.argv[2], { platform: assets.Platform.LINUX_ARM64, buildArgs: { NODE: "22" } }),
  architecture: lambda.Architecture.ARM_64,
});
app.synth();
`;

/** The calls of ECR and STS that cdk-assets makes; images are those of `registry`. */
function awsApi(registry: TestRegistry): Server {
  const answers: Readonly<
    Record<string, (body: { readonly imageIds?: readonly { readonly imageTag: string }[] }) => object>
  > = {
    DescribeRepositories: () => ({ repositories: [{ repositoryUri: `${registry.host}/${REPOSITORY}` }] }),
    DescribeImages: ({ imageIds: [image] = [] }) =>
      registry.tag(REPOSITORY, image?.imageTag ?? "") === undefined
        ? { __type: "ImageNotFoundException", message: "there is no such image" }
        : { imageDetails: [{ imageTags: [image?.imageTag] }] },
    GetAuthorizationToken: () => ({
      authorizationData: [
        {
          authorizationToken: Buffer.from("AWS:token").toString("base64"),
          proxyEndpoint: `https://${registry.host}`,
        },
      ],
    }),
  };
  return createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const target = String(request.headers["x-amz-target"] ?? "").replace(/^.*\./, "");
    const action = /Action=(\w+)/.exec(text)?.[1];
    if (action !== undefined) return response.setHeader("content-type", "text/xml").end(STS[action]);
    const answer = answers[target]?.(JSON.parse(text));
    response.statusCode = answer === undefined || "__type" in answer ? 400 : 200;
    response.setHeader("content-type", "application/x-amz-json-1.1");
    return response.end(JSON.stringify(answer ?? {}));
  });
}

const NAMESPACE = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"';
const STS: Readonly<Record<string, string>> = {
  AssumeRole: `<AssumeRoleResponse ${NAMESPACE}><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
  GetCallerIdentity: `<GetCallerIdentityResponse ${NAMESPACE}><GetCallerIdentityResult><Account>${ACCOUNT}</Account><Arn>a</Arn><UserId>u</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>`,
};

/** What of AWS's base the rules of Lambda look at. */
async function buildBase(to: string): Promise<void> {
  const program = { file: "#!/bin/sh\n", mode: 0o755 };
  await build({
    directory: makeTree({
      "bin/sh": { file: "sh", mode: 0o755 },
      "lambda-entrypoint.sh": program,
      "var/runtime/bootstrap": program,
    }),
    ...{ base: "scratch", target: "/", arch: "arm64", to, check: false },
    ...{ entrypoint: ["/lambda-entrypoint.sh"], cmd: [], workdir: "/var/task" },
    env: { LAMBDA_TASK_ROOT: "/var/task" },
    cacheDir: temporaryFolder(),
    environment: { HOME: temporaryFolder() },
  });
}

describeReal("the AWS CDK with lambda-pack-docker in the place of Docker", ["npm"], () => {
  let cdk: string;
  let bases: TestRegistry;
  let registry: TestRegistry;
  let api: Server;
  before(async () => {
    cdk = await installCdk();
    bases = await TestRegistry.start();
    registry = await TestRegistry.start({ auth: "basic", user: "AWS", password: "token" });
    await buildBase(`${bases.host}/lambda/nodejs:22`);
    api = awsApi(registry).listen(0, "127.0.0.1");
  });
  after(async () => {
    api.closeAllConnections();
    api.close();
    await Promise.all([bases.stop(), registry.stop()]);
  });

  /** `CDK_DOCKER` is one word: the program itself. */
  function dockerProgram(directory: string): string {
    const program = join(directory, "lambda-pack-docker");
    const source = fileURLToPath(new URL("../../src/cli/docker/bin.ts", import.meta.url));
    const tsx = fileURLToPath(import.meta.resolve("tsx"));
    writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" --import "${tsx}" "${source}" "$@"\n`, {
      mode: 0o755,
    });
    return program;
  }

  it("synthesizes and publishes a function, and a second publication sends nothing", async () => {
    const image = makeTree({
      "app.mjs": "export const handler = async () => 1;\n",
      "package.json": '{"name":"app"}',
      Dockerfile:
        'ARG NODE\nFROM public.ecr.aws/lambda/nodejs:$NODE\nCOPY *.mjs package.json $LAMBDA_TASK_ROOT/\nCMD ["app.handler"]\n',
    });
    const work = temporaryFolder();
    const out = join(work, "cdk.out");
    writeFileSync(join(cdk, "app.cjs"), APP);
    const synthesized = await tryRun(process.execPath, [join(cdk, "app.cjs"), image, out], { cwd: cdk });
    assert.equal(synthesized.status, 0, synthesized.stderr);

    const { dockerImages } = JSON.parse(readFileSync(join(out, "S.assets.json"), "utf8"));
    const [hash = ""] = Object.keys(dockerImages);
    const environment = {
      CDK_DOCKER: dockerProgram(work),
      AWS_ENDPOINT_URL: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: "A",
      AWS_SECRET_ACCESS_KEY: "S",
      AWS_REGION: "eu-west-1",
      LAMBDA_PACK_CACHE_DIR: join(work, "cache"),
      LAMBDA_PACK_BASE_REGISTRY: `${bases.host}/lambda`,
      HOME: work,
    };
    const publish = () =>
      tryRun(
        process.execPath,
        [
          join(cdk, "node_modules/cdk-assets/bin/cdk-assets"),
          "publish",
          "--path",
          join(out, "S.assets.json"),
          "--verbose",
          hash,
        ],
        { cwd: work, env: environment },
      );
    const first = await publish();
    assert.equal(first.status, 0, `${first.stdout}\n${first.stderr}`);
    const digest = registry.tag(REPOSITORY, hash);
    assert.ok(digest, "the tag of the asset names an image");

    const auths = { [registry.host]: { auth: Buffer.from("AWS:token").toString("base64") } };
    const checked = await check({
      source: `${registry.host}/${REPOSITORY}:${hash}`,
      cacheDir: temporaryFolder(),
      askBase: false,
      environment: { DOCKER_AUTH_CONFIG: JSON.stringify({ auths }), HOME: work },
    });
    assert.deepEqual(
      checked.findings.filter(({ severity }) => severity === "error"),
      [],
    );
    assert.equal(checked.platform, "linux/arm64");

    const received = registry.bytesReceived;
    const second = await publish();
    assert.equal(second.status, 0, second.stderr);
    assert.equal(registry.bytesReceived, received);
  });
});

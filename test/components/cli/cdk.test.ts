import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { after, before, it } from "node:test";
import { fileURLToPath } from "node:url";
import { buildTypes } from "../../../scripts/build.ts";
import { build, check } from "../../../src/index.ts";
import { describeReal } from "../../support/components/components.ts";
import { installPackages } from "../../support/components/npm-packages.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { tryRun } from "../../support/run.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

/** What writes the assets and what publishes them; cdk-assets 4.7.3 reads no manifest of a newer library. */
const PACKAGES = ["cdk-assets@4.7.3", "aws-cdk-lib@2.270.0", "constructs@10.8.1"];
const ACCOUNT = "123456789012";
const REPOSITORY = `cdk-hnb659fds-container-assets-${ACCOUNT}-eu-west-1`;

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

/** A stack with a function from a directory. */
const CONSTRUCT = `
const cdk = require("aws-cdk-lib");
const lambda = require("aws-cdk-lib/aws-lambda");
const { LambdaPackImageCode } = require("lambda-pack/cdk");
const app = new cdk.App({ outdir: process.argv[3] });
const stack = new cdk.Stack(app, "S", { env: { account: "${ACCOUNT}", region: "eu-west-1" } });
new lambda.DockerImageFunction(stack, "F", {
  code: LambdaPackImageCode.fromDirectory(process.argv[2], {
    base: "nodejs:22", handler: "src/app.run", exclude: "notes.txt", env: { STAGE: "test" },
  }),
  architecture: lambda.Architecture.ARM_64,
});
app.synth();
`;

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The package beside the CDK, as npm installs it. */
function linkPackage(directory: string): void {
  const link = join(directory, "node_modules/lambda-pack");
  mkdirSync(link, { recursive: true });
  cpSync(join(root, "cdk"), join(link, "cdk"), { recursive: true });
  cpSync(join(root, "package.json"), join(link, "package.json"));
}

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
    cacheDir: temporaryDirectory(),
    environment: { HOME: temporaryDirectory() },
  });
}

describeReal("the AWS CDK with lambda-pack-docker in the place of Docker", ["npm"], () => {
  let cdk: string;
  let bases: TestRegistry;
  let registry: TestRegistry;
  let api: Server;
  before(async () => {
    cdk = await installPackages(PACKAGES); // 190 MB
    linkPackage(cdk);
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
    const source = fileURLToPath(new URL("../../../src/cli/docker/bin.ts", import.meta.url));
    const tsx = fileURLToPath(import.meta.resolve("tsx"));
    writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" --import "${tsx}" "${source}" "$@"\n`, {
      mode: 0o755,
    });
    return program;
  }

  interface Published {
    readonly status: number;
    readonly output: string;
  }

  /** Synthesizes the app and gives what publishes its one asset. */
  async function synthesize(app: string, directory: string) {
    const work = temporaryDirectory();
    const out = join(work, "cdk.out");
    const file = join(cdk, `app-${basename(work)}.cjs`);
    writeFileSync(file, app);
    const synthesized = await tryRun(process.execPath, [file, directory, out], { cwd: cdk });
    assert.equal(synthesized.status, 0, synthesized.stderr);
    const { dockerImages } = JSON.parse(readFileSync(join(out, "S.assets.json"), "utf8"));
    const [hash = "", ...more] = Object.keys(dockerImages);
    assert.deepEqual(more, []);
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
    const program = join(cdk, "node_modules/cdk-assets/bin/cdk-assets");
    const argv = [program, "publish", "--path", join(out, "S.assets.json"), "--verbose", hash];
    const publish = async (): Promise<Published> => {
      const { status, stdout, stderr } = await tryRun(process.execPath, argv, {
        cwd: work,
        env: environment,
      });
      return { status, output: `${stdout}\n${stderr}` };
    };
    return { hash, publish };
  }

  async function checkPublished(hash: string) {
    const auths = { [registry.host]: { auth: Buffer.from("AWS:token").toString("base64") } };
    const checked = await check({
      source: `${registry.host}/${REPOSITORY}:${hash}`,
      cacheDir: temporaryDirectory(),
      askBase: false,
      environment: { DOCKER_AUTH_CONFIG: JSON.stringify({ auths }), HOME: temporaryDirectory() },
    });
    const errors = checked.findings.filter(({ severity }) => severity === "error");
    assert.deepEqual(errors, []);
    assert.equal(checked.platform, "linux/arm64");
  }

  it("synthesizes and publishes a function from a Dockerfile, and a second publication sends nothing", async () => {
    const { hash, publish } = await synthesize(
      APP,
      makeTree({
        "app.mjs": "export const handler = async () => 1;\n",
        "package.json": '{"name":"app"}',
        Dockerfile:
          'ARG NODE\nFROM public.ecr.aws/lambda/nodejs:$NODE\nCOPY *.mjs package.json $LAMBDA_TASK_ROOT/\nCMD ["app.handler"]\n',
      }),
    );
    const first = await publish();
    assert.equal(first.status, 0, first.output);
    assert.ok(registry.tag(REPOSITORY, hash), "the tag of the asset names an image");
    await checkPublished(hash);
    const received = registry.bytesReceived;
    const second = await publish();
    assert.equal(second.status, 0, second.output);
    assert.equal(registry.bytesReceived, received);
  });

  it("LambdaPackImageCode.fromDirectory publishes a function without a Dockerfile, and a second publication sends nothing", async () => {
    const directory = makeTree({
      "src/app.mjs": "export const run = async () => 1;\n",
      "notes.txt": "left out",
    });
    const { hash, publish } = await synthesize(CONSTRUCT, directory);
    const first = await publish();
    assert.equal(first.status, 0, first.output);
    await checkPublished(hash);
    const manifest = JSON.parse(String(registry.manifest(REPOSITORY, hash)));
    const { config } = JSON.parse(String(registry.blob(REPOSITORY, manifest.config.digest)));
    assert.deepEqual(config.Cmd, ["src/app.run"]);
    assert.ok(config.Env.includes("STAGE=test"));
    const received = registry.bytesReceived;
    const second = await publish();
    assert.equal(second.status, 0, second.output);
    assert.equal(registry.bytesReceived, received);

    writeFileSync(join(directory, "src/app.mjs"), "export const run = async () => 2;\n");
    const changed = await synthesize(CONSTRUCT, directory);
    assert.notEqual(changed.hash, hash);
  });

  it("LambdaPackImageCode refuses an architecture that is not the function's", async () => {
    const app = CONSTRUCT.replace('base: "nodejs:22"', 'arch: "x86_64"');
    await assert.rejects(
      synthesize(app, makeTree({ "app.mjs": "" })),
      /the function runs on arm64, and its code has arch "x86_64"/,
    );
  });

  it("the types of lambda-pack/cdk fit those of the CDK", async () => {
    const types = join(cdk, "node_modules/lambda-pack/dist");
    mkdirSync(types, { recursive: true });
    await buildTypes(types);
    const file = join(cdk, "types.ts");
    writeFileSync(
      file,
      `import { LambdaPackImageCode } from "lambda-pack/cdk";
       import { App, Stack } from "aws-cdk-lib";
       import { DockerImageFunction } from "aws-cdk-lib/aws-lambda";
       new DockerImageFunction(new Stack(new App(), "S"), "F", { code: LambdaPackImageCode.fromDirectory("app", { base: "nodejs:22" }) });
       // @ts-expect-error: the CDK decides where the image goes
       LambdaPackImageCode.fromDirectory("app", { to: "x" });`,
    );
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const options = [
      "--noEmit",
      "--strict",
      "--skipLibCheck",
      "--module",
      "nodenext",
      "--target",
      "es2022",
      "--types",
      "",
    ];
    const { status, stdout } = await tryRun(process.execPath, [tsc, ...options, file], { cwd: cdk });
    assert.equal(status, 0, stdout);
  });
});

import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { StateReasonCode } from "@aws-sdk/client-lambda";
import { findFunction } from "../../../src/aws/functions/functions.ts";
import { explain, reasonOf } from "../../../src/aws/functions/states.ts";
import {
  createRepository,
  DeployError,
  type Deployment,
  type DeployOptions,
  type DeployResult,
  iamPolicy,
  LambdaPackError,
  prune,
  repositoryPolicy,
  status,
} from "../../../src/index.ts";
import { type ControlPlane, controlPlane, openedApi } from "../../support/aws/control-plane.ts";
import { FakeFunction } from "../../support/aws/functions.ts";
import { placeImage } from "../../support/aws/images.ts";
import { digestOf, lambdaPack, type Outcome } from "../../support/cli/cli.ts";

const URI = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app";
const ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f";

let plane: ControlPlane;
before(async () => {
  plane = await controlPlane();
});
afterEach(() => {
  plane.ecr.registry().repositories.clear();
  plane.lambda.functions.clear();
});
after(() => plane.stop());

const laterIamPolicy = async (...options: Parameters<typeof iamPolicy>) => iamPolicy(...options);

/** The command line over the real commands, but for deploy. */
const run = (...argv: readonly string[]): Promise<Outcome> =>
  lambdaPack(argv, {
    environment: plane.environment,
    aws: { createRepository, repositoryPolicy, iamPolicy: laterIamPolicy, status, prune },
  });

function place(): FakeFunction {
  const { imageUri, digest } = placeImage(plane.ecr, "first", { tags: ["v1"] });
  const made = new FakeFunction("f", ARN, { Role: "r" }, imageUri, digest);
  Object.assign(made, { state: "Active", stateReason: undefined, stateReasonCode: undefined });
  plane.lambda.functions.set("eu-west-1/f", made);
  return made;
}

describe("repo", () => {
  it("create says the URI on stdout", async () => {
    const { status: exit, stdout, stderr } = await run("repo", "create", "app", "--expire-untagged", "14");
    assert.deepEqual([exit, stdout], [0, `${URI}\n`], stderr);
    assert.match(stderr, /repo 123456789012.*\/app {2}created/);
  });

  it("create says everything with --json", async () => {
    const { stdout } = await run("repo", "create", "app", "--json");
    assert.deepEqual(JSON.parse(stdout), {
      repository: URI,
      arn: "arn:aws:ecr:eu-west-1:123456789012:repository/app",
      created: true,
    });
  });

  it("policy shows the policy on stdout and the change on stderr", async () => {
    plane.ecr.repository("app");
    const { stdout, stderr } = await run("repo", "policy", "app");
    assert.equal(JSON.parse(stdout).Statement[0].Sid, "LambdaECRImageRetrievalPolicy");
    assert.match(stderr, /policy \+ \{"Sid":"LambdaECRImageRetrievalPolicy"/);
    assert.equal(plane.ecr.repository("app").policy, undefined);
  });

  it("policy --apply writes it", async () => {
    plane.ecr.repository("app");
    await run("repo", "policy", "app", "--apply", "--account", "210987654321");
    assert.match(plane.ecr.repository("app").policy ?? "", /210987654321/);
    const { stdout, stderr } = await run("repo", "policy", "app", "--remove", "--apply");
    assert.equal(stdout, "");
    assert.match(stderr, /policy - \{"Sid"/);
  });

  it("iam shows a policy, and needs no credentials", async () => {
    const { stdout } = await lambdaPack(["repo", "iam", "app", "--for", "push"], {
      aws: { iamPolicy: laterIamPolicy },
    });
    assert.equal(JSON.parse(stdout).Statement.length, 2);
  });

  for (const [argv, says] of [
    [["repo", "delete", "app"], /unknown repo command "delete"/],
    [["repo", "create"], /repo needs <repository>/],
    [["repo", "create", "app", "--apply"], /repo create has no flag --apply/],
    [["repo", "iam", "app"], /--for is missing/],
    [["repo", "iam", "app", "--for", "everything"], /push, deploy or create/],
    [["prune", "app", "--yes", "--dry-run"], /exclude each other/],
    [["deploy", "x"], /--function is missing/],
    [["deploy", "x", "--function", "f", "--weight", "2"], /between 0 and 1/],
    [["deploy", "x", "--function", "f", "--memory", "5"], /whole number from 128 to 10240/],
  ] as const) {
    it(`refuses ${argv.join(" ")}`, async () => {
      const { status: exit, stderr } = await run(...argv);
      assert.equal(exit, 2);
      assert.match(stderr, says);
    });
  }
});

describe("status", () => {
  it("says on stdout how the function is", async () => {
    const found = place();
    found.publish();
    found.aliases.set("live", {
      Name: "live",
      FunctionVersion: "1",
      RoutingConfig: { AdditionalVersionWeights: { "2": 0.1 } },
    });
    const { status: exit, stdout } = await run("status", "f");
    assert.equal(exit, 0);
    assert.match(stdout, /^function {2}f {2}eu-west-1\nstate {5}Active\narn {7}arn:aws:lambda/);
    assert.match(stdout, /image {5}\S+app@sha256:[0-9a-f]{64}\n {10}1\.0 kB, tagged v1\n/);
    assert.match(stdout, /pull {6}the repository's policy does not let Lambda pull/);
    assert.match(stdout, /alias {5}live -> 1, 10 % to 2 {2}sha256:/);
    assert.match(stdout, /version {3}1 {2}sha256:[0-9a-f]{12} {2}Active/);
  });

  it("ends with 1 and explains if the function does not serve", async () => {
    Object.assign(place(), { state: "Inactive", stateReasonCode: "Idle" });
    const { status: exit, stdout } = await run("status", "f");
    assert.equal(exit, 1);
    assert.match(stdout, /why {7}Inactive \(Idle\): it was not called for weeks/);
  });

  it("ends with 1 if there is no function", async () => {
    const { status: exit, stderr } = await run("status", "f");
    assert.equal(exit, 1);
    assert.match(stderr, /there is no function f in eu-west-1/);
  });

  for (const code of Object.values(StateReasonCode)) {
    it(`explains ${code}`, async () => {
      Object.assign(place(), { state: "Failed", stateReasonCode: code, stateReason: "its words" });
      const facts = await findFunction(openedApi(plane).api, { name: "f", region: "eu-west-1" });
      const [meaning, fix] = reasonOf({ value: "Failed", code });
      const here = fix.replace("<function>", "f").replace("<repository>", URI);
      assert.equal(facts && explain(facts), `Failed (${code}: its words): ${meaning}; ${here}`);
    });
  }
});

describe("prune", () => {
  it("says on stdout what would go, and on stderr how large it is", async () => {
    placeImage(plane.ecr, "old");
    place();
    const { status: exit, stdout, stderr } = await run("prune", "app", "--keep", "0");
    assert.equal(exit, 0);
    assert.match(stdout, /^123456789012\S+\/app@sha256:[0-9a-f]{64}\n$/);
    assert.match(stderr, /unused .*1\.0 kB/);
    assert.equal(plane.ecr.repository("app").manifests.size, 2);
    await run("prune", "app", "--keep", "0", "--yes");
    assert.equal(plane.ecr.repository("app").manifests.size, 1);
  });
});

describe("deploy", () => {
  const place = { function: "f", region: "eu-west-1" };
  const good: Deployment = {
    ...place,
    ...{ how: "updated", arn: `${ARN}:3`, version: "3", digest: digestOf("a"), state: "Active", steps: [] },
  };
  const result: DeployResult = {
    digest: digestOf("a"),
    platform: "linux/amd64",
    images: [],
    deployments: [good, good],
  };

  it("says the ARN of each function on a line of its own", async () => {
    const outcome = await lambdaPack(["deploy", "x", "--function", "f"], {
      aws: { deploy: async () => result },
    });
    assert.deepEqual([outcome.status, outcome.stdout], [0, `${ARN}:3\n${ARN}:3\n`]);
  });

  it("says one object with --json", async () => {
    const argv = ["deploy", "x", "--function", "f", "--json"];
    const { stdout } = await lambdaPack(argv, { aws: { deploy: async () => result } });
    assert.deepEqual(JSON.parse(stdout), result);
  });

  it("says what went well and what did not, and ends as the worst", async () => {
    const error = new LambdaPackError("DENIED", "not allowed", { hint: "allow it" });
    const deployments: Deployment[] = [good, { ...place, region: "us-east-1", how: "failed", error }];
    const deploy = () =>
      Promise.reject(new DeployError("DENIED", "1 of 2 failed", "f: allow it", deployments));
    const outcome = await lambdaPack(["deploy", "x", "--function", "f"], { aws: { deploy } });
    assert.deepEqual([outcome.status, outcome.stdout], [4, `${ARN}:3\n`]);
    assert.match(outcome.stderr, /error: 1 of 2 failed\n {2}fix: f: allow it/);
    const { stdout } = await lambdaPack(["deploy", "x", "--function", "f", "--json"], { aws: { deploy } });
    assert.deepEqual(JSON.parse(stdout).deployments[1].error, {
      code: "DENIED",
      message: "not allowed",
      hint: "allow it",
    });
  });

  it("deploy has an option for each flag", async () => {
    const seen: DeployOptions[] = [];
    const deploy = async (options: DeployOptions) => {
      seen.push(options);
      return result;
    };
    const argv =
      "deploy app --base python:3.12 --function one --function two --region eu-west-1 --repo team/app --create-repo --tag v1 --role r --memory 512 --timeout 30 --ephemeral-storage 1024 --env A=1 --entrypoint /e --cmd app.other --workdir /w --publish --alias live --weight 10% --warm --dry-run --arch arm64 --handler app.handler --exclude x";
    await lambdaPack(argv.split(" "), { aws: { deploy } });
    const { environment: _, onEvent: __, signal: ___, ...options } = seen[0] ?? ({} as DeployOptions);
    assert.deepEqual(options, {
      ...{
        source: "app",
        base: "python:3.12",
        function: ["one", "two"],
        region: ["eu-west-1"],
        repo: "team/app",
      },
      ...{ createRepo: true, tag: ["v1"], role: "r", memory: 512, timeout: 30, ephemeralStorage: 1024 },
      ...{
        env: { A: "1" },
        entrypoint: ["/e"],
        cmd: ["app.other"],
        workdir: "/w",
        publish: true,
        alias: "live",
      },
      ...{
        weight: 0.1,
        warm: true,
        dryRun: true,
        arch: "arm64",
        handler: "app.handler",
        exclude: ["x"],
      },
    });
  });
});

import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { type AwsWorld, awsWorld } from "../../support/aws/world.ts";
import { runInWorld } from "../../support/ecr/run.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree } from "../../support/trees.ts";

const ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const HANDLER = "export const handler = () => 1;\n";

let world: AwsWorld;
let base: TestRegistry;
let root: string;
before(async () => {
  base = await TestRegistry.start();
  await publishBase(base, "lambda/nodejs", "22", lambdaBase("x86_64"));
  world = await awsWorld();
  root = makeTree({ "worker/index.mjs": HANDLER, "extra/index.mjs": HANDLER });
  configure({ worker: { function: "shop-worker", env: { QUEUE: "orders" } } });
});
beforeEach(() => {
  world.lambda.functions.clear();
  world.ecr.registry().repositories.clear();
});
after(async () => {
  await world?.stop();
  await base?.stop();
});

function configure(functions: object, file = "lambda-pack.jsonc"): void {
  const defaults = {
    ...{ base: "nodejs:22", directory: "{name}", to: `${ECR}/team/{name}:v1`, createRepo: true },
    ...{ role: "arn:aws:iam::123456789012:role/f", memory: 512 },
  };
  writeFileSync(join(root, file), JSON.stringify({ defaults, functions }));
}

const run = (...argv: readonly string[]) =>
  runInWorld(world, argv, {
    cwd: root,
    environment: { LAMBDA_PACK_BASE_REGISTRY: `${base.host}/lambda` },
  });

describe("deploy DIR with a lambda-pack.jsonc", () => {
  it("deploys the image that build DIR makes to the function, the repository and the tag of the file", async () => {
    const built = await run("build", "./worker", "--dry-run", "--quiet");
    const { code, stderr } = await run("deploy", "./worker");
    assert.equal(code, 0, stderr);
    const made = world.lambda.function("shop-worker");
    assert.equal(`${made?.image}\n`, built.stdout, "the variables of the file are in the image");
    assert.equal(made?.config["MemorySize"], 512);
    assert.equal(made?.config["Environment"], undefined);
    assert.equal(`${ECR}/team/worker@${world.ecr.repository("team/worker").tags.get("v1")}`, made?.image);
  });

  it("builds with options that deploy lacks, such as the Dockerfile and the words of CMD of the file", async () => {
    writeFileSync(
      join(root, "worker", "Dockerfile"),
      "FROM public.ecr.aws/lambda/nodejs:22\nCOPY index.mjs ./\n",
    );
    const functions = { worker: { file: "worker/Dockerfile", cmd: ["index.handler"] } };
    const defaults = { directory: "{name}", to: `${ECR}/team/{name}:v1`, createRepo: true };
    writeFileSync(join(root, "docker.jsonc"), JSON.stringify({ defaults, functions }));
    const config = ["--config", "docker.jsonc"];
    const built = await run("build", "./worker", "--dry-run", "--quiet", ...config);
    const role = ["--role", "arn:aws:iam::123456789012:role/f"];
    const { code, stderr } = await run("deploy", "./worker", "--function", "docker", ...role, ...config);
    assert.equal(code, 0, stderr);
    const made = world.lambda.function("docker");
    assert.equal(`${made?.image}\n`, built.stdout, built.stderr);
    assert.equal(made?.config["ImageConfig"], undefined);
  });

  it("lets flags win over the file, and sets --env on the function alone", async () => {
    const { code, stderr } = await run(
      ...[
        "deploy",
        "worker",
        "--function",
        "other",
        "--repo",
        "team/other",
        "--memory",
        "256",
        "--env",
        "A=1",
      ],
    );
    assert.equal(code, 0, stderr);
    const made = world.lambda.function("other");
    assert.match(made?.image ?? "", /\/team\/other@sha256:/);
    assert.equal(made?.config["MemorySize"], 256);
    assert.deepEqual(made?.config["Environment"], { Variables: { A: "1" } });
    assert.equal(world.lambda.functions.size, 1);
  });

  it("takes the defaults of the file for a directory of no function, which --function has to name", async () => {
    const unnamed = await run("deploy", "./extra");
    assert.equal(unnamed.code, 2);
    assert.match(unnamed.stderr, /--function is missing/);
    const { code, stderr } = await run("deploy", "./extra", "--function", "extra");
    assert.equal(code, 0, stderr);
    assert.match(world.lambda.function("extra")?.image ?? "", /\/team\/extra@sha256:/);
  });

  it("deploy DIR with a lambda-pack.jsonc has no --cmd in the hint for a handler that is not there, since --cmd of a deploy is the function's", async () => {
    const { code, stderr } = await run("deploy", "./worker", "--handler", "index.handle");
    assert.equal(code, 1);
    assert.match(stderr, /\n {2}fix: did you mean index\.handler\?\n/);
    const built = await run("build", "./worker", "--handler", "index.handle");
    assert.match(built.stderr, /did you mean index\.handler\? --cmd sets CMD unchecked\n/);
  });

  it("refuses to choose between the two usual handlers of a directory, as build does", async () => {
    writeFileSync(join(root, "extra", "app.js"), "exports.handler = async () => 1;\n");
    for (const command of [
      ["deploy", "./extra", "--function", "extra"],
      ["build", "./extra"],
    ]) {
      const { code, stderr } = await run(...command);
      assert.equal(code, 1);
      assert.match(stderr, /fix: choose one: --handler index\.handler or --handler app\.handler\n/);
    }
    assert.equal(world.lambda.functions.size, 0);
    rmSync(join(root, "extra", "app.js"));
  });

  it("refuses the directory of several functions, and changes nothing", async () => {
    configure({ one: { directory: "worker" }, two: { directory: "worker" } }, "two.jsonc");
    const { code, stderr } = await run("deploy", "./worker", "--function", "f", "--config", "two.jsonc");
    assert.equal(code, 2);
    assert.match(stderr, /is the directory of one, two in .*\n {2}fix: name one of the functions/);
    assert.equal(world.lambda.functions.size, 0);
  });
});

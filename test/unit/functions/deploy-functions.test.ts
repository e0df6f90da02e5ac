import "../../support/ecr/trusting.ts";
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type BuildFunctionsOptions, deployFunctions } from "../../../src/index.ts";
import { type AwsWorld, awsWorld } from "../../support/aws/world.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree } from "../../support/trees.ts";

let world: AwsWorld;
let base: TestRegistry;
before(async () => {
  base = await TestRegistry.start();
  await publishBase(base, "lambda/nodejs", "22", lambdaBase("x86_64"));
  world = await awsWorld();
});
after(async () => {
  await world?.stop();
  await base.stop();
});

const ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

function project(functions: object, defaults: object = {}): string {
  const config = {
    defaults: {
      ...{ base: "nodejs:22", directory: "{name}", to: `${ECR}/{name}:v1`, createRepo: true },
      ...{ role: "arn:aws:iam::123456789012:role/f", memory: 512, ...defaults },
    },
    functions,
  };
  const app = (name: string) => `export const handler = () => "${name}";\n`;
  return makeTree({
    "api/index.mjs": app("api"),
    "worker/index.mjs": app("worker"),
    "lambda-pack.jsonc": JSON.stringify(config),
  });
}

const run = (root: string, more: Partial<BuildFunctionsOptions> = {}) =>
  deployFunctions({
    config: join(root, "lambda-pack.jsonc"),
    cacheDir: join(root, ".cache"),
    environment: { ...world.environment, LAMBDA_PACK_BASE_REGISTRY: `${base.host}/lambda` },
    ...more,
  });

describe("deployFunctions", () => {
  it("builds all images, and creates each Lambda function with the image of its own", async () => {
    const { functions } = await run(
      project({ api: { function: "shop-api" }, worker: { function: "shop-worker" } }),
    );
    assert.deepEqual(
      functions.map(({ name, result }) => [name, result.deployments.map((one) => [one.function, one.how])]),
      [
        ["api", [["shop-api", "created"]]],
        ["worker", [["shop-worker", "created"]]],
      ],
    );
    const known = JSON.stringify([...world.lambda.functions]);
    for (const { name, result } of functions)
      assert.ok(known.includes(`${ECR}/${name}@${result.digest}`), known);
  });

  it("refuses a function without a name in Lambda before anything is built", async () => {
    const root = project({ api: { function: "shop-api" }, worker: {} });
    await assert.rejects(run(root), {
      code: "USAGE",
      message: "worker has no function that deploy could update",
      hint: 'add "function": "worker", the name of the Lambda function',
    });
  });

  it("refuses a function whose image goes to no registry", async () => {
    const root = project({ api: { function: "a", to: "oci:out", createRepo: false } });
    await assert.rejects(run(root), { code: "USAGE", message: /^api does not go to a registry/ });
  });

  it("changes no function in a dry run", async () => {
    world.lambda.functions.clear();
    const { functions } = await run(project({ api: { function: "dry" } }), { options: { dryRun: true } });
    assert.deepEqual(
      functions.map(({ result }) => result.deployments),
      [[]],
    );
    assert.equal(world.lambda.functions.size, 0);
  });
});

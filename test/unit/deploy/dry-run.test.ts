import "../../support/ecr/trusting.ts";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import * as api from "../../../src/cli/api.ts";
import { FakeFunction } from "../../support/aws/functions.ts";
import { placeImage } from "../../support/aws/images.ts";
import { clearLambda } from "../../support/aws/stage.ts";
import { type AwsWorld, awsWorld } from "../../support/aws/world.ts";
import { lambdaPack, type Outcome } from "../../support/cli/cli.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";

const HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const ROLE = "arn:aws:iam::123456789012:role/f";
const app = mkdtempSync(join(tmpdir(), "lambda-pack-dry-"));

let world: AwsWorld;
let base: TestRegistry;
before(async () => {
  writeFileSync(join(app, "app.py"), "def handler(event, context):\n    return event\n");
  base = await TestRegistry.start();
  await publishBase(base, "lambda/python", "3.12", lambdaBase("x86_64"));
  world = await awsWorld();
  const made = await run(`build ${app} --base python:3.12 --to oci:${world.directory}/layout:v1`);
  assert.equal(made.status, 0, made.stderr);
});
after(async () => {
  await world?.stop();
  await base?.stop();
  rmSync(app, { recursive: true, force: true });
});

/** A function with a version and an alias, an image that nothing uses, and a repository without a policy. */
beforeEach(() => {
  for (const region of ["eu-west-1", "us-east-1"])
    world.ecr.registry("123456789012", region).repositories.clear();
  clearLambda(world.lambda);
  placeImage(world.ecr, "unused");
  const { imageUri, digest } = placeImage(world.ecr, "used", { tags: ["v0"] });
  const arn = "arn:aws:lambda:eu-west-1:123456789012:function:app";
  const found = new FakeFunction("app", arn, { Role: ROLE, Architectures: ["x86_64"] }, imageUri, digest);
  Object.assign(found, { state: "Active", stateReason: undefined, stateReasonCode: undefined });
  found.publish();
  found.aliases.set("live", { Name: "live", FunctionVersion: "1", RevisionId: "1" });
  world.lambda.functions.set("eu-west-1/app", found);
  for (const { log } of [world.api.origin, world.ecr.origin]) log.length = 0;
});

function run(command: string): Promise<Outcome> {
  const environment = { ...world.environment, LAMBDA_PACK_BASE_REGISTRY: `${base.host}/lambda` };
  return lambdaPack(command.split(" "), { environment, build: api.build, aws: api });
}

/** Requests that change something, wherever they came. */
function changes(): readonly string[] {
  const registry = world.ecr.log.filter(({ method }) => !["GET", "HEAD"].includes(method));
  const ecr = world.api.origin.log.filter(
    ({ kind }) => !/^(?:Get|Describe|BatchGet|BatchCheck|List)/.test(kind),
  );
  return [...registry, ...ecr].map(({ kind }) => kind).concat(world.lambda.changes);
}

describe("nothing is changed in AWS by", () => {
  const LAYOUT = () => `oci:${world.directory}/layout:v1`;
  const cases: readonly (readonly [title: string, command: () => string, exit: number])[] = [
    ["deploy --dry-run of a directory", () => `deploy ${app} --base python:3.12 --function app --dry-run`, 0],
    ["deploy --dry-run of a layout", () => `deploy ${LAYOUT()} --function app --dry-run`, 0],
    ["deploy --dry-run of what is in ECR", () => `deploy ${HOST}/app:v0 --function app --dry-run`, 1],
    [
      "deploy --dry-run of everything at once",
      () =>
        `deploy ${LAYOUT()} --function app --dry-run --create-repo --role ${ROLE} --memory 512 --env A=1 --publish --alias live --weight 10% --warm --recreate --tag v9`,
      0,
    ],
    [
      "deploy --dry-run of a function that is not there, without a repository",
      () => `deploy ${LAYOUT()} --function new --dry-run --create-repo --role ${ROLE} --alias live --warm`,
      0,
    ],
    [
      "deploy --dry-run to several functions and regions",
      () =>
        `deploy ${app} --base python:3.12 --function one --function two --repo many --create-repo --role ${ROLE} --region eu-west-1 --region us-east-1 --dry-run`,
      0,
    ],
    ["build --dry-run", () => `build ${app} --base python:3.12 --to ${HOST}/app:v2 --dry-run`, 0],
    [
      "build --dry-run --create-repo",
      () => `build ${app} --base python:3.12 --to ${HOST}/new:v2 --create-repo --dry-run`,
      0,
    ],
    ["prune", () => "prune app --keep 0", 0],
    ["prune --dry-run", () => "prune app --keep 0 --dry-run", 0],
    ["repo policy", () => "repo policy app --account 210987654321", 0],
    ["repo policy --remove", () => "repo policy app --remove", 0],
    ["repo iam", () => "repo iam app --for deploy", 0],
    ["status", () => "status app", 0],
    ["status --wait", () => "status app --wait", 0],
  ];
  for (const [title, command, exit] of cases) {
    it(title, async () => {
      const { status, stderr } = await run(command());
      assert.deepEqual(changes(), [], stderr);
      assert.equal(status, exit, stderr);
    });
  }

  for (const dryRun of ["", " --dry-run"])
    for (const flag of ["--env A=1", "--cmd app.other", "--entrypoint /x", "--workdir /x"])
      it(`deploy ${flag}${dryRun} if Lambda does not show variables and image settings`, async () => {
        const error = { ErrorCode: "AccessDeniedException", Message: "KMS access was denied." };
        const hidden = { Environment: error, ImageConfigResponse: error };
        Object.assign(world.lambda.function("app") ?? {}, { hidden });
        const command = `deploy ${LAYOUT()} --function app --create-repo ${flag}${dryRun}`;
        const { status, stdout, stderr } = await run(command);
        assert.deepEqual([status, stdout, changes()], [4, "", []], stderr);
        assert.match(stderr, /error: Lambda does not show the .* of app in eu-west-1 .*nothing was changed/);
      });

  it("deploy of what is so already", async () => {
    const command = `deploy ${LAYOUT()} --function app --alias live`;
    assert.equal((await run(command)).status, 0);
    assert.notDeepEqual(changes(), []);
    for (const { log } of [world.api.origin, world.ecr.origin, world.lambda.plainOrigin]) log.length = 0;
    const { status, stderr } = await run(command);
    assert.deepEqual([status, changes()], [0, []], stderr);
  });
});

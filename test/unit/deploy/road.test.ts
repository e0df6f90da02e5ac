import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openRegistryDoor, type RegistryDoor } from "../../support/aws/registry-door.ts";
import { type AwsWorld, awsWorld } from "../../support/aws/world.ts";
import { describeReal } from "../../support/components/components.ts";
import { type RealRegistry, startRegistry } from "../../support/components/registries.ts";
import { type RunResult, runInWorld } from "../../support/ecr/run.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";

const ROLE = "arn:aws:iam::123456789012:role/f";
const ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f";

interface Road {
  readonly world: AwsWorld;
  /** Uploads and manifests that came to ECR's registry, in order, since the last time this was asked. */
  readonly writes: () => readonly string[];
}

function walk(open: () => Promise<Road & { readonly close: () => Promise<void> }>): void {
  const app = mkdtempSync(join(tmpdir(), "lambda-pack-road-"));
  let base: TestRegistry;
  let road: Awaited<ReturnType<typeof open>>;
  before(async () => {
    writeFileSync(join(app, "app.py"), "def handler(event, context):\n    return 1\n");
    base = await TestRegistry.start();
    await publishBase(base, "lambda/python", "3.12", lambdaBase());
    road = await open();
  });
  after(async () => {
    await road?.close();
    await base?.stop();
    rmSync(app, { recursive: true, force: true });
  });

  const deploy = (...more: readonly string[]): Promise<RunResult> =>
    runInWorld(
      road.world,
      ["deploy", app, "--base", "python:3.12", "--function", "f", "--create-repo", "--role", ROLE, ...more],
      { environment: { LAMBDA_PACK_BASE_REGISTRY: `${base.host}/lambda` } },
    );
  const changes = () => {
    const seen = road.world.lambda.changes;
    road.world.lambda.origin.log.length = 0;
    road.world.lambda.plainOrigin.log.length = 0;
    return seen;
  };
  const apiChanges = () => {
    const calls = road.world.api.origin.log.map(({ kind }) => kind);
    road.world.api.origin.log.length = 0;
    return calls.filter((kind) => !/^(?:Get|Describe)/.test(kind));
  };

  it("goes from nothing to an Active function", async () => {
    const { code, stdout, stderr } = await deploy();
    assert.equal(code, 0, stderr);
    assert.equal(stdout, `${ARN}\n`);
    assert.match(stderr, /repo .*\/lambda\/f {2}created/);
    assert.match(stderr, /lambda f eu-west-1 {2}Pending/);
    assert.match(stderr, /lambda f eu-west-1 {2}Active/);
    assert.match(stderr, /result f eu-west-1 {2}created/);
    assert.deepEqual([apiChanges(), changes()], [["CreateRepository"], ["CreateFunction"]]);
    assert.equal(road.world.lambda.function("f")?.state, "Active");
    assert.ok(road.writes().length > 0);
  });

  it("a second time changes nothing at all", async () => {
    const { code, stdout, stderr } = await deploy();
    assert.equal(code, 0, stderr);
    assert.equal(stdout, `${ARN}\n`);
    assert.match(stderr, /result f eu-west-1 {2}unchanged/);
    assert.deepEqual([apiChanges(), changes(), road.writes()], [[], [], []]);
  });

  it("with one file changed sends one layer and updates the code once", async () => {
    const old = road.world.lambda.function("f")?.digest;
    writeFileSync(join(app, "app.py"), "def handler(event, context):\n    return 2\n");
    const { code, stdout, stderr } = await deploy();
    assert.equal(code, 0, stderr);
    assert.equal(stdout, `${ARN}\n`);
    assert.deepEqual([apiChanges(), changes()], [[], ["UpdateFunctionCode"]]);
    const writes = road.writes();
    assert.equal(writes.filter((line) => line.startsWith("POST")).length, 2, "the layer and the config");
    assert.equal(writes.filter((line) => /manifests/.test(line)).length, 1);
    assert.notEqual(road.world.lambda.function("f")?.digest, old);
  });

  it("leaks no secret", async () => {
    const { stdout, stderr } = await deploy("--verbose");
    assert.deepEqual(road.world.leaks(stdout + stderr), []);
    assert.deepEqual(road.world.strayAuthorizations(), []);
  });
}

describe("the road from a directory, over the fake ECR", () => {
  walk(async () => {
    const world = await awsWorld();
    let seen = 0;
    const writes = () => {
      const all = world.ecr.log.filter(({ method }) => /POST|PUT|PATCH/.test(method));
      const fresh = all.slice(seen).map(({ method, path }) => `${method} ${path}`);
      seen = all.length;
      return fresh;
    };
    return { world, writes, close: () => world.stop() };
  });
});

describeReal("the road from a directory, over a real registry", ["docker-registry"], () => {
  walk(async () => {
    const world = await awsWorld();
    const registry: RealRegistry = await startRegistry({ kind: "anonymous" });
    const door: RegistryDoor = await openRegistryDoor(world, registry.url);
    let seen = 0;
    const writes = () => {
      const all = door.requests.filter((line) => /^(?:POST|PUT|PATCH)/.test(line));
      const fresh = all.slice(seen);
      seen = all.length;
      return fresh;
    };
    const close = async () => {
      await door.stop();
      await registry.stop();
      await world.stop();
    };
    return { world, writes, close };
  });
});

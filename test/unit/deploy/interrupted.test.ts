import "../../support/ecr/trusting.ts";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { deployPaced } from "../../../src/commands/deploy/deploy.ts";
import { build, type DeployOptions } from "../../../src/index.ts";
import { clearLambda } from "../../support/aws/stage.ts";
import { type AwsWorld, awsWorld } from "../../support/aws/world.ts";
import type { FaultPlan } from "../../support/ecr/http/faults.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { testPacing } from "../../support/registry/repository.ts";

const app = mkdtempSync(join(tmpdir(), "lambda-pack-interrupted-"));

let world: AwsWorld;
let layout: string;
before(async () => {
  writeFileSync(join(app, "app.py"), "def handler(event, context):\n    return event\n");
  const base = await TestRegistry.start();
  await publishBase(base, "lambda/python", "3.12", lambdaBase("x86_64"));
  world = await awsWorld();
  layout = `oci:${join(world.directory, "layout")}:v1`;
  const environment = { ...world.environment, LAMBDA_PACK_BASE_REGISTRY: `${base.host}/lambda` };
  await build({ directory: app, base: "python:3.12", to: layout, environment });
  await base.stop();
});
after(async () => {
  await world?.stop();
  rmSync(app, { recursive: true, force: true });
});

function options(): DeployOptions {
  return {
    source: layout,
    function: "app",
    role: "arn:aws:iam::123456789012:role/f",
    createRepo: true,
    alias: "live",
    environment: world.environment,
  };
}

/** Asked before every request to ECR, its API and Lambda. */
function watch(plan: FaultPlan): void {
  world.ecr.fault = plan;
  world.api.origin.fault = plan;
  world.lambda.origin.fault = plan;
}

function clear(): void {
  world.ecr.registry().repositories.clear();
  clearLambda(world.lambda);
}

/** The deploy ends just before the request of this number. */
async function interrupted(before: number): Promise<readonly string[]> {
  const stop = new AbortController();
  const kinds: string[] = [];
  watch(({ kind }) => {
    kinds.push(kind);
    if (kinds.length < before) return undefined;
    stop.abort(new Error("the runner is gone"));
    return { do: "drop", when: "before-reading" };
  });
  await deployPaced({ ...options(), signal: stop.signal }, testPacing()).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  watch(() => undefined);
  return kinds;
}

/** All that users see of it. */
function state(): object {
  const found = world.lambda.function("app");
  const repository = world.ecr.registry().repositories.get("app");
  return {
    image: found?.image,
    state: found?.state,
    versions: found?.versions.map(({ version, digest }) => [version, digest]),
    alias: found?.aliases.get("live")?.["FunctionVersion"],
    manifests: [...(repository?.manifests.keys() ?? [])],
    tags: [...(repository?.tags ?? [])].sort(),
  };
}

/** Before the first request of each kind, and before the last manifest; what comes after the creation has a test of its own (aws-interrupted). */
function points(requests: readonly string[]): readonly number[] {
  const road = requests.slice(0, requests.indexOf("CreateFunction") + 2);
  const first = road.flatMap((kind, index) => (road.indexOf(kind) === index ? [index + 1] : []));
  return [...first, road.lastIndexOf("put-manifest") + 1];
}

it("the whole road is finished by the next run, wherever it was interrupted", async () => {
  const requests = await interrupted(Number.POSITIVE_INFINITY);
  const wanted = state();
  assert.ok(points(requests).length >= 10, `${requests}`);
  for (const before of points(requests)) {
    clear();
    const last = (await interrupted(before)).at(-1);
    const { deployments } = await deployPaced(options(), testPacing());
    assert.deepEqual(
      deployments.map(({ how }) => how === "failed"),
      [false],
    );
    assert.deepEqual(state(), wanted, `before request ${before}, ${last}`);
  }
});

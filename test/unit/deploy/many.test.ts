import "../../support/ecr/trusting.ts";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { deployPaced } from "../../../src/commands/deploy/deploy.ts";
import type { BuildEvent } from "../../../src/events.ts";
import { build, DeployError, type DeployOptions, iamPolicy } from "../../../src/index.ts";
import { clearLambda, failure } from "../../support/aws/stage.ts";
import { type AwsWorld, awsWorld } from "../../support/aws/world.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { testPacing } from "../../support/registry/repository.ts";

const app = mkdtempSync(join(tmpdir(), "lambda-pack-many-"));
const REGIONS = ["eu-west-1", "us-east-1"];

let world: AwsWorld;
let layouts: readonly [string, string];
before(async () => {
  const base = await TestRegistry.start();
  await publishBase(base, "lambda/python", "3.12", lambdaBase("x86_64"));
  world = await awsWorld();
  const environment = { ...world.environment, LAMBDA_PACK_BASE_REGISTRY: `${base.host}/lambda` };
  const layout = async (name: string) => {
    writeFileSync(join(app, "app.py"), `def handler(event, context):\n    return "${name}"\n`);
    const to = `oci:${join(world.directory, name)}:v1`;
    await build({ directory: app, base: "python:3.12", to, environment });
    return to;
  };
  layouts = [await layout("one"), await layout("two")];
  await base.stop();
});
afterEach(() => {
  for (const region of REGIONS) world.ecr.registry("123456789012", region).repositories.clear();
  clearLambda(world.lambda);
});
after(async () => {
  await world?.stop();
  rmSync(app, { recursive: true, force: true });
});

function options(more: Partial<DeployOptions> = {}) {
  const events: BuildEvent[] = [];
  const onEvent = (event: BuildEvent) => void events.push(event);
  const role = "arn:aws:iam::123456789012:role/f";
  const { environment } = world;
  return {
    ...{
      source: layouts[0] ?? "",
      function: "app",
      role,
      repo: "app",
      createRepo: true,
      environment,
      onEvent,
      events,
    },
    ...more,
  };
}

/** `events` is for the test and no option. */
const deployWithout = ({ events: _, ...given }: ReturnType<typeof options>) =>
  deployPaced(given, testPacing());

const run = (more: Partial<DeployOptions> = {}) => deployWithout(options(more));

describe("many functions", () => {
  it("many functions are brought to an image eight at a time, and all of them in the end", async () => {
    const names = Array.from({ length: 12 }, (_, index) => `f${index}`);
    let most = 0;
    world.lambda.looks = 3;
    world.lambda.before = (operation) => {
      const under = [...world.lambda.functions.values()].filter(({ pending }) => pending).length;
      if (operation === "CreateFunction") most = Math.max(most, under + 1);
    };
    const { deployments } = await run({ function: names });
    assert.deepEqual(
      deployments.map(({ function: name, how }) => [name, how]),
      names.map((name) => [name, "created"]),
    );
    assert.ok(most <= 8, `${most} at once`);
    assert.ok(most > 1, "side by side");
  });

  it("that are named twice, or in a region that is, are one", async () => {
    const region = [...REGIONS, "eu-west-1"];
    const { deployments } = await run({ function: ["app", "app"], region });
    assert.equal(deployments.length, 2);
    assert.deepEqual(world.lambda.changes, ["CreateFunction", "CreateFunction"]);
  });

  it("that fail for one reason are named with it once", async () => {
    world.ecr.registry("123456789012", "eu-west-1").create("app");
    const work = run({ function: ["one", "two"], region: REGIONS, createRepo: false });
    const error = await work.catch((failed: unknown) => failed);
    assert.ok(error instanceof DeployError, String(error));
    assert.equal(error.message, "2 of 4 functions failed; the others were deployed");
    assert.equal(
      error.hint,
      [
        "one in us-east-1, two in us-east-1: there is no repository 123456789012.dkr.ecr.us-east-1.amazonaws.com/app",
        "  add --create-repo to create it, or check the account, the region and the name (--repo)",
      ].join("\n"),
    );
  });

  it("that all fail leave no others to speak of", async () => {
    const error = await failure(run({ function: ["one", "two"], createRepo: false }));
    assert.deepEqual([error.code, error.message], ["REPOSITORY_NOT_FOUND", "2 of 2 functions failed"]);
  });

  it("many functions are told in the table with their version, or with the code of what failed", async () => {
    world.lambda.before = (operation, { input }) => {
      if (operation === "CreateFunction" && input["FunctionName"] === "two")
        world.lambda.outcomes.push({ status: "bad", code: "InvalidImage" });
    };
    const given = options({ function: ["one", "two"], publish: true });
    await failure(deployWithout(given));
    const table = given.events.flatMap((event) =>
      event.type === "function-done"
        ? [[event.function, event.how, event.version, event.steps, event.code]]
        : [],
    );
    assert.deepEqual(table, [
      ["one", "created", "1", 2, undefined],
      ["two", "failed", undefined, undefined, "FUNCTION_FAILED"],
    ]);
  });
});

describe("a deploy", () => {
  it("goes on where the image's own tag cannot be moved, and says so", async () => {
    await run();
    const given = options({ source: layouts[1] });
    const { deployments } = await deployWithout(given);
    assert.deepEqual(
      deployments.map(({ how }) => how),
      ["updated"],
    );
    assert.match(JSON.stringify(given.events), /app:v1 stays with another image, as tags of this repository/);
  });

  it("ends if a tag that is asked for cannot be moved, and nothing of the function is changed", async () => {
    await run({ tag: ["release"] });
    const before = world.lambda.changes.length;
    const error = await failure(run({ source: layouts[1], tag: ["release"] }));
    assert.equal(error.code, "TAG_IMMUTABLE");
    assert.match(error.hint, /a new tag for each build/);
    assert.equal(world.lambda.changes.length, before);
  });

  it("brings back an image that was deleted from ECR, and the function that failed for it", async () => {
    const { digest } = await run();
    world.ecr.repository("app").manifests.clear();
    world.ecr.repository("app").tags.clear();
    Object.assign(world.lambda.function("app") ?? {}, { state: "Failed", stateReasonCode: "ImageDeleted" });
    const { deployments } = await run();
    assert.deepEqual(
      deployments.map((one) => one.how !== "failed" && [one.how, one.state]),
      [["updated", "Active"]],
    );
    assert.ok(world.ecr.repository("app").manifests.has(digest));
  });

  it("asks for nothing that the least policy for it does not allow", async () => {
    world.ecr.repository("app");
    for (const { log } of [world.api.origin, world.lambda.plainOrigin]) log.length = 0;
    const more = { createRepo: false, alias: "live", warm: true };
    await run(more);
    await run({ ...more, source: layouts[1], memory: 512 });
    const lambda = world.lambda.calls.map((call) => `lambda:${call === "Invoke" ? "InvokeFunction" : call}`);
    const asked = new Set([...lambda, ...world.api.origin.log.map(({ kind }) => `ecr:${kind}`)]);
    const policy = JSON.stringify(iamPolicy({ repository: "app", for: "deploy" }));
    assert.deepEqual(
      [...asked].filter((action) => !policy.includes(`"${action}"`)),
      [],
    );
    assert.ok(asked.size >= 11, [...asked].join(" "));
  });

  it("of a directory that is not there says that, and asks nobody", async () => {
    const error = await failure(run({ source: join(app, "nowhere"), base: "python:3.12" }));
    assert.equal(error.code, "DIRECTORY_UNREADABLE");
    assert.match(error.hint, /leave it out to deploy an image/);
    assert.deepEqual(world.lambda.calls, []);
  });
});

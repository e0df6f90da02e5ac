import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { planFunction } from "../../../../src/aws/functions/deploy-function.ts";
import { findFunction } from "../../../../src/aws/functions/functions.ts";
import { openedApi } from "../../../support/aws/control-plane.ts";
import type { FakeFunction } from "../../../support/aws/functions.ts";
import { failure, PLACE, ROLE, stage } from "../../../support/aws/stage.ts";
import { failing } from "../../../support/ecr/http/faults.ts";

const on = stage();
const { desiredFor, deploy, changes } = on;

/** A function that Lambda could not create: it is there, and accepts no new code. */
async function stillborn(settings = {}): Promise<FakeFunction> {
  on.plane.lambda.outcomes.push({ status: "bad", code: "InvalidImage", reason: "Lambda's own words" });
  await failure(deploy(desiredFor("first", { settings: { role: ROLE, ...settings } })));
  changes();
  return found();
}

function found(): FakeFunction {
  const made = on.plane.lambda.function("f");
  assert.ok(made);
  return made;
}

const ANEW = ["UpdateFunctionCode", "DeleteFunction", "CreateFunction"];

describe("a function whose creation failed", () => {
  it("a function whose creation failed is deleted and created again, with the settings that it had", async () => {
    await stillborn({ memory: 256, env: { A: "1" }, cmd: ["a.b"] });
    const desired = desiredFor("second", { settings: { timeout: 9, env: { B: "2" } } });
    assert.equal((await deploy(desired)).state, "Active");
    assert.deepEqual(changes(), ANEW);
    assert.deepEqual(found().config, {
      Architectures: ["x86_64"],
      Role: ROLE,
      MemorySize: 256,
      Timeout: 9,
      EphemeralStorage: { Size: 512 },
      Environment: { Variables: { A: "1", B: "2" } },
      ImageConfigResponse: { ImageConfig: { Command: ["a.b"] } },
    });
  });

  it("keeps settings that deploy has no word for, and its tags", async () => {
    const kept = {
      Description: "orders",
      DeadLetterConfig: { TargetArn: "arn:aws:sqs:eu-west-1:123456789012:dead" },
      KMSKeyArn: "arn:aws:kms:eu-west-1:123456789012:key/1",
      TracingConfig: { Mode: "Active" },
      FileSystemConfigs: [{ Arn: "arn:aws:elasticfilesystem:x", LocalMountPath: "/mnt/x" }],
      LoggingConfig: { LogFormat: "JSON" },
    };
    const vpc = { SubnetIds: ["subnet-1"], SecurityGroupIds: ["sg-1"] };
    const made = await stillborn();
    made.config = {
      ...made.config,
      ...kept,
      VpcConfig: { ...vpc, VpcId: "vpc-1" },
      SnapStart: { ApplyOn: "PublishedVersions", OptimizationStatus: "Off" },
    };
    made.tags = { team: "orders" };
    await deploy(desiredFor("second", { settings: {} }));
    const { config, tags } = found();
    for (const [name, value] of Object.entries(kept)) assert.deepEqual(config[name], value, name);
    assert.deepEqual(
      [config["VpcConfig"], config["SnapStart"], tags],
      [vpc, { ApplyOn: "PublishedVersions" }, { team: "orders" }],
    );
  });

  for (const [title, attach, says] of [
    ["a version and an alias", attachVersion, "1 version, 1 alias"],
    [
      "event sources",
      (one: FakeFunction) => void Object.assign(one, { eventSources: [{}, {}, {}] }),
      "3 event sources",
    ],
    ["a URL", (one: FakeFunction) => void Object.assign(one, { urls: [{}] }), "1 function URL"],
    [
      "leave for others to call it",
      (one: FakeFunction) => void Object.assign(one, { policy: "{}" }),
      "the resource policy",
    ],
    [
      "settings for asynchronous calls",
      (one: FakeFunction) => void Object.assign(one, { asynchronous: [{}] }),
      "the settings for asynchronous calls",
    ],
    [
      "reserved concurrency",
      (one: FakeFunction) => void Object.assign(one, { reservedConcurrency: 0 }),
      "the reserved concurrency",
    ],
    [
      "a stack that it belongs to",
      (one: FakeFunction) => void Object.assign(one, { tags: { "aws:cloudformation:stack-name": "shop" } }),
      "the membership in the stack shop",
    ],
  ] as const) {
    it(`and that has ${title} stays as it is, and what would be lost is told`, async () => {
      attach(await stillborn());
      const error = await failure(deploy(desiredFor("second")));
      assert.equal(error.code, "FUNCTION_FAILED");
      assert.equal(
        error.message,
        `the function f in eu-west-1 ended as Failed: InvalidImage: Lambda's own words; it accepts no new code, and deleting it would lose ${says}`,
      );
      assert.match(error.hint, /^Lambda cannot load this image; .*\n--recreate deletes it/);
      assert.deepEqual(changes(), ["UpdateFunctionCode"]);
    });

    it(`and that has ${title} is created again if that is asked for`, async () => {
      attach(await stillborn());
      assert.equal((await deploy(desiredFor("second", { recreate: true }))).state, "Active");
      assert.deepEqual(changes(), ANEW);
    });
  }

  for (const action of [
    "lambda:ListVersionsByFunction",
    "lambda:ListAliases",
    "lambda:ListEventSourceMappings",
    "lambda:ListFunctionUrlConfigs",
    "lambda:ListFunctionEventInvokeConfigs",
    "lambda:GetPolicy",
  ]) {
    it(`stays as it is where it cannot be seen what hangs on it: ${action}`, async () => {
      await stillborn();
      on.plane.lambda.denied.add(action);
      const error = await failure(deploy(desiredFor("second")));
      assert.equal(error.code, "DENIED");
      assert.ok(error.message.includes(`${action} is not allowed`), error.message);
      assert.deepEqual(changes(), ["UpdateFunctionCode"]);
      on.plane.lambda.denied.clear();
      on.plane.lambda.denied.add(action);
      assert.equal((await deploy(desiredFor("second", { recreate: true }))).state, "Active");
    });
  }

  it("that cannot be created again is told with all that it had, but for values of variables", async () => {
    await stillborn({ memory: 256, env: { TOKEN: "hidden" } });
    on.plane.lambda.denied.add("iam:PassRole");
    const opened = openedApi(on.plane);
    assert.equal((await failure(deploy(desiredFor("second"), opened))).code, "DENIED");
    const told = JSON.stringify(opened.events.filter(({ type }) => type === "warning"));
    assert.match(told, /f in eu-west-1 was deleted to be created again, and may not exist now/);
    assert.match(
      told,
      /--role arn:aws:iam::123456789012:role\/f --memory 256 --timeout 3 --ephemeral-storage 512, and the variables TOKEN/,
    );
    assert.doesNotMatch(told, /hidden/);
  });

  it("that fails again is there with its settings, and can be created again by the next run", async () => {
    await stillborn({ memory: 256 });
    on.plane.lambda.outcomes.push({ status: "bad", code: "InvalidImage" });
    const opened = openedApi(on.plane);
    assert.equal((await failure(deploy(desiredFor("second"), opened))).code, "FUNCTION_FAILED");
    assert.deepEqual(
      opened.events.filter(({ type }) => type === "warning"),
      [],
    );
    assert.equal((await deploy(desiredFor("third"))).state, "Active");
    assert.equal(found().config["MemorySize"], 256);
  });

  it("a function whose creation failed is not deleted where only somebody else's change is in the way", async () => {
    const made = await stillborn();
    on.plane.lambda.origin.fault = failing(
      "UpdateFunctionCode",
      {
        do: "answer",
        status: 409,
        headers: { "x-amzn-errortype": "ResourceConflictException" },
        body: JSON.stringify({ message: "An update is in progress for resource: f" }),
      },
      { times: 1 },
    );
    Object.assign(made, { stateReasonCode: "ImageDeleted" });
    assert.equal((await deploy(desiredFor("second"))).state, "Active");
    assert.equal(changes().includes("DeleteFunction"), false);
  });

  it("because its image has gone takes the same image again, and is not deleted", async () => {
    await deploy(desiredFor());
    Object.assign(found(), { state: "Failed", stateReasonCode: "ImageDeleted" });
    changes();
    assert.equal((await deploy(desiredFor())).state, "Active");
    assert.deepEqual(changes(), ["UpdateFunctionCode"]);
  });

  it("a function whose creation failed is told in a dry run that it may have to be deleted", async () => {
    await stillborn();
    const { api } = openedApi(on.plane);
    const { steps } = await planFunction(api, PLACE, desiredFor("second"), await findFunction(api, PLACE));
    assert.match(steps[0] ?? "", /^update the code, or .* delete the function and create it again$/);
    assert.deepEqual(changes(), []);
  });
});

function attachVersion(one: FakeFunction): void {
  const { version } = one.publish();
  one.aliases.set("live", { Name: "live", FunctionVersion: version });
}

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LastUpdateStatusReasonCode, StateReasonCode } from "@aws-sdk/client-lambda";
import { preflight } from "../../../../src/aws/functions/deploy-function.ts";
import { KNOWN_REASONS, reasonOf } from "../../../../src/aws/functions/states.ts";
import { parseDigest } from "../../../../src/oci/digest.ts";
import { openedApi } from "../../../support/aws/control-plane.ts";
import { placeImage } from "../../../support/aws/images.ts";
import { LambdaException } from "../../../support/aws/lambda-wire.ts";
import { ARN, failure, PLACE, ROLE, stage } from "../../../support/aws/stage.ts";
import { failing } from "../../../support/ecr/http/faults.ts";

const on = stage();
const { desiredFor, deploy, changes } = on;

describe("a function that is not there", () => {
  it("a function that is not there is created by digest, and Active when that is told", async () => {
    const desired = desiredFor();
    const result = await deploy(desired);
    assert.deepEqual(changes(), ["CreateFunction"]);
    assert.deepEqual([result.how, result.arn, result.state], ["created", ARN, "Active"]);
    assert.equal(on.plane.lambda.function("f")?.image, desired.imageUri);
  });

  it("gets the settings that are wished for", async () => {
    const settings = {
      role: ROLE,
      memory: 512,
      timeout: 30,
      ephemeralStorage: 1024,
      env: { STAGE: "live" },
      ...{ cmd: ["other.handler"], entrypoint: ["/e"], workdir: "/w" },
    };
    await deploy(desiredFor("first", { settings, architecture: "arm64" }));
    assert.deepEqual(on.plane.lambda.function("f")?.config, {
      Role: ROLE,
      MemorySize: 512,
      Timeout: 30,
      EphemeralStorage: { Size: 1024 },
      Environment: { Variables: { STAGE: "live" } },
      Architectures: ["arm64"],
      ImageConfigResponse: {
        ImageConfig: { Command: ["other.handler"], EntryPoint: ["/e"], WorkingDirectory: "/w" },
      },
    });
  });

  it("a function that is not there is told state by state while it comes", async () => {
    on.plane.lambda.looks = 3;
    const opened = openedApi(on.plane);
    await deploy(desiredFor(), opened);
    const states = opened.events.flatMap((event) => (event.type === "function-state" ? [event.state] : []));
    assert.deepEqual(states, ["Pending", "Active"]);
    const [first, ...later] = opened.pacing.waits;
    assert.equal(first, 250);
    assert.ok(later.every((wait) => wait > 250 && wait <= 2000));
  });

  it("waits for a role that IAM has just made", async () => {
    on.plane.lambda.roleNotReady = 3;
    const opened = openedApi(on.plane);
    assert.equal((await deploy(desiredFor(), opened)).how, "created");
    assert.equal(opened.events.filter(({ type }) => type === "retrying").length, 3);
  });

  it("a function that is not there is not made with a role that stays unknown, after a minute", async () => {
    on.plane.lambda.roleNotReady = 1000;
    const error = await failure(deploy(desiredFor()));
    assert.equal(error.code, "AWS_REFUSED");
    assert.match(error.hint, /trust policy/);
  });

  it("a function that is not there is not made without a role, which is known before anything is changed", async () => {
    const error = await failure(preflight(openedApi(on.plane).api, PLACE, {}));
    assert.deepEqual([error.code, changes()], ["FUNCTION_NOT_FOUND", []]);
    assert.match(error.hint, /--role/);
  });

  it("a function that is not there is found when the answer to its creation was lost", async () => {
    on.plane.lambda.origin.fault = failing(
      "CreateFunction",
      { do: "drop", when: "after-commit" },
      { times: 1 },
    );
    assert.equal((await deploy(desiredFor())).state, "Active");
  });
});

describe("a function that is there", () => {
  it("a function that is there is not touched when it runs the image already", async () => {
    await deploy(desiredFor());
    changes();
    const again = await deploy(desiredFor());
    assert.deepEqual([again.how, again.steps, changes()], ["unchanged", [], []]);
  });

  it("gets new code with one call", async () => {
    await deploy(desiredFor());
    changes();
    const second = await deploy(desiredFor("second"));
    assert.deepEqual([second.how, changes()], ["updated", ["UpdateFunctionCode"]]);
    assert.equal(on.plane.lambda.function("f")?.digest, second.digest);
  });

  it("a function that is there is brought back when it was idle for so long that Lambda has put it aside", async () => {
    await deploy(desiredFor());
    Object.assign(on.plane.lambda.function("f") ?? {}, { state: "Inactive", stateReasonCode: "Idle" });
    changes();
    assert.deepEqual([(await deploy(desiredFor())).state, changes()], ["Active", ["UpdateFunctionCode"]]);
    assert.deepEqual([(await deploy(desiredFor())).how, changes()], ["unchanged", []]);
  });

  it("keeps its architecture in the request only where that changes", async () => {
    await deploy(desiredFor());
    await deploy(desiredFor("second", { architecture: "arm64" }));
    assert.deepEqual(on.plane.lambda.function("f")?.config["Architectures"], ["arm64"]);
  });

  it("gets only the settings that differ, its environment added to what is there", async () => {
    await deploy(desiredFor("first", { settings: { role: ROLE, memory: 256, env: { A: "1" } } }));
    changes();
    const settings = { memory: 256, env: { B: "2" } };
    await deploy(desiredFor("first", { settings }));
    assert.deepEqual(changes(), ["UpdateFunctionConfiguration"]);
    assert.deepEqual(on.plane.lambda.function("f")?.config["Environment"], { Variables: { A: "1", B: "2" } });
    await deploy(desiredFor("first", { settings }));
    assert.deepEqual(changes(), []);
  });

  it("a function that is there is waited for while somebody else changes it", async () => {
    await deploy(desiredFor());
    on.plane.lambda.function("f")?.begin("update", { status: "good", looks: 4 });
    assert.equal((await deploy(desiredFor("second"))).how, "updated");
  });

  it("a function that is there is tried again when somebody begins a change in between", async () => {
    await deploy(desiredFor());
    changes();
    let first = true;
    on.plane.lambda.before = (operation) => {
      if (operation !== "UpdateFunctionCode" || !first) return;
      first = false;
      on.plane.lambda.function("f")?.begin("update", { status: "good", looks: 2 });
    };
    const opened = openedApi(on.plane);
    assert.equal((await deploy(desiredFor("second"), opened)).how, "updated");
    assert.deepEqual(changes(), ["UpdateFunctionCode", "UpdateFunctionCode"]);
    assert.ok(
      opened.events.some(
        (event) => event.type === "retrying" && event.reason === "ResourceConflictException",
      ),
    );
  });

  it("a function that is there is read again when it has changed since it was read", async () => {
    await deploy(desiredFor());
    let first = true;
    on.plane.lambda.before = (operation) => {
      const found = on.plane.lambda.function("f");
      if (operation === "UpdateFunctionCode" && first && found) found.revisionId = "another";
      if (operation === "UpdateFunctionCode") first = false;
    };
    assert.equal((await deploy(desiredFor("second"))).how, "updated");
  });

  it("a function that is there is given up when others change it again and again", async () => {
    await deploy(desiredFor());
    on.plane.lambda.before = (operation) => {
      if (operation === "UpdateFunctionCode")
        throw new LambdaException(
          409,
          "ResourceConflictException",
          "An update is in progress for resource: f",
        );
    };
    const error = await failure(deploy(desiredFor("second")));
    assert.equal(error.code, "FUNCTION_BUSY");
    assert.match(error.message, /An update is in progress/);
  });

  it("a function that is there is not a Zip function", async () => {
    await deploy(desiredFor());
    Object.assign(on.plane.lambda.function("f") ?? {}, { packageType: "Zip" });
    changes();
    const error = await failure(preflight(openedApi(on.plane).api, PLACE, { role: ROLE }));
    assert.deepEqual([error.code, changes()], ["FUNCTION_UNFIT", []]);
    assert.match(error.message, /package type Zip/);
  });

  it("a function that is there is known to be deleted while it is waited for", async () => {
    await deploy(desiredFor());
    on.plane.lambda.looks = 50;
    let looks = 0;
    on.plane.lambda.before = (operation) => {
      if (operation === "GetFunction") looks += 1;
      if (looks === 6) on.plane.lambda.functions.clear();
    };
    const error = await failure(deploy(desiredFor("second")));
    assert.equal(error.code, "FUNCTION_NOT_FOUND");
    assert.match(error.message, /was deleted while lambda-pack waited for it/);
  });

  it("a function that is there is not waited for for ever", async () => {
    on.plane.lambda.looks = 100_000;
    const error = await failure(deploy(desiredFor()));
    assert.equal(error.code, "FUNCTION_BUSY");
    assert.match(error.message, /has been Pending for 15 minutes/);
    assert.match(error.hint, /status f --region eu-west-1 --wait/);
  });
});

describe("a deploy that was interrupted", () => {
  it("while it waited is finished by the next, with no change made twice", async () => {
    on.plane.lambda.looks = 5;
    const stop = new AbortController();
    const opened = openedApi(on.plane, stop.signal);
    on.plane.lambda.before = (operation) => {
      if (operation === "GetFunction" && on.plane.lambda.function("f")) stop.abort(new Error("stopped"));
    };
    await assert.rejects(deploy(desiredFor(), opened), /stopped/);
    const warning = opened.events.find(({ type }) => type === "warning");
    assert.match(
      JSON.stringify(warning),
      /AWS has accepted the request to create the function, and continues with it/,
    );
    assert.match(JSON.stringify(warning), /lambda-pack status f --region eu-west-1 --wait/);
    on.plane.lambda.before = () => {};
    assert.equal((await deploy(desiredFor())).state, "Active");
    assert.deepEqual(changes(), ["CreateFunction"]);
  });

  it("with an update that failed is tried again, though the function may look as if it ran the image", async () => {
    await deploy(desiredFor());
    on.plane.lambda.outcomes.push({ status: "bad", code: "InternalError" });
    assert.equal((await failure(deploy(desiredFor("second")))).code, "FUNCTION_FAILED");
    changes();
    assert.equal((await deploy(desiredFor("second"))).how, "updated");
  });
});

describe("what Lambda says of an image", () => {
  const codes = new Set<string>([
    ...Object.values(StateReasonCode),
    ...Object.values(LastUpdateStatusReasonCode),
  ]);

  it("what Lambda says of an image is explained for every reason code that the SDK knows, and no other", () => {
    assert.deepEqual([...KNOWN_REASONS].sort(), [...codes].sort());
  });

  for (const code of Object.values(LastUpdateStatusReasonCode)) {
    it(`${code} when it is created fails with its meaning and a fix`, async () => {
      on.plane.lambda.outcomes.push({ status: "bad", code, reason: "Lambda's own words", looks: 0 });
      const error = await failure(deploy(desiredFor()));
      const [meaning, fix] = reasonOf({ value: "Failed", code });
      assert.equal(error.code, "FUNCTION_FAILED");
      assert.equal(error.message, `the function f in eu-west-1 ended as Failed: ${code}: Lambda's own words`);
      const uri = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app";
      assert.equal(error.hint, `${meaning}; ${fix.replace("<repository>", uri)}`);
    });

    it(`${code} when it is updated says that the old code keeps serving`, async () => {
      const { digest } = await deploy(desiredFor());
      on.plane.lambda.outcomes.push({ status: "bad", code, looks: 0 });
      const error = await failure(deploy(desiredFor("second")));
      assert.equal(error.code, "FUNCTION_FAILED");
      assert.match(
        error.message,
        new RegExp(`the update of f in eu-west-1 ended as Failed: ${code.replace(".", "\\.")}`),
      );
      assert.ok(
        error.message.includes(`the code from before (${digest.slice(0, 19)}…) keeps serving`),
        error.message,
      );
    });
  }

  for (const [title, prepare, code, says] of [
    [
      "that it may not pull it",
      () => Object.assign(on.plane.lambda, { addsPolicy: false }),
      "DENIED",
      /repo policy <repository> --apply/,
    ],
    [
      "that it is not there",
      () => on.plane.ecr.repository("app").manifests.clear(),
      "IMAGE_NOT_FOUND",
      /push the image again/,
    ],
  ] as const) {
    it(`${title} comes with a fix`, async () => {
      const desired = desiredFor();
      prepare();
      const error = await failure(deploy(desired));
      assert.equal(error.code, code);
      assert.match(error.hint, says);
    });
  }

  it("that it is an index comes with a fix", async () => {
    const mediaType = "application/vnd.oci.image.index.v1+json";
    const { imageUri, digest } = placeImage(on.plane.ecr, "index", { mediaType });
    const error = await failure(deploy({ ...desiredFor(), imageUri, digest: parseDigest(digest) }));
    assert.equal(error.code, "IMAGE_UNSUPPORTED");
    assert.match(error.hint, /one plain manifest/);
  });
});

describe("a version and an alias", () => {
  const live = { publish: true, alias: { name: "live" } };

  it("a version and an alias are made, and the version's ARN is the result", async () => {
    const result = await deploy(desiredFor("first", live));
    assert.deepEqual([result.arn, result.version], [`${ARN}:1`, "1"]);
    assert.deepEqual(changes(), ["CreateFunction", "PublishVersion", "CreateAlias"]);
    assert.equal(on.plane.lambda.function("f")?.aliases.get("live")?.["FunctionVersion"], "1");
  });

  it("a version and an alias are not touched when they are as they shall be", async () => {
    await deploy(desiredFor("first", live));
    changes();
    assert.equal((await deploy(desiredFor("first", live))).arn, `${ARN}:1`);
    assert.deepEqual(changes(), []);
  });

  it("move with new code, and with new settings", async () => {
    await deploy(desiredFor("first", live));
    assert.equal((await deploy(desiredFor("second", live))).version, "2");
    const third = await deploy(desiredFor("second", { ...live, settings: { memory: 512 } }));
    assert.equal(third.version, "3");
    assert.equal(on.plane.lambda.function("f")?.aliases.get("live")?.["FunctionVersion"], "3");
  });

  it("shift a part of the calls, then all of them", async () => {
    await deploy(desiredFor("first", live));
    await deploy(desiredFor("second", { ...live, alias: { name: "live", weight: 0.1 } }));
    const alias = () => on.plane.lambda.function("f")?.aliases.get("live");
    assert.deepEqual(
      [alias()?.["FunctionVersion"], alias()?.["RoutingConfig"]],
      ["1", { AdditionalVersionWeights: { "2": 0.1 } }],
    );
    changes();
    await deploy(desiredFor("second", { ...live, alias: { name: "live", weight: 0.1 } }));
    assert.deepEqual(changes(), []);
    await deploy(desiredFor("second", live));
    assert.deepEqual(
      [alias()?.["FunctionVersion"], alias()?.["RoutingConfig"]],
      ["2", { AdditionalVersionWeights: {} }],
    );
  });

  it("a version and an alias are waited for until the version is Active", async () => {
    let looks = 0;
    on.plane.lambda.before = (operation, { query }) => {
      const version = on.plane.lambda.function("f")?.versions[0];
      if (operation !== "GetFunction" || !query.has("Qualifier") || !version) return;
      looks += 1;
      version.state = looks < 3 ? "Pending" : "Active";
    };
    const opened = openedApi(on.plane);
    assert.equal((await deploy(desiredFor("first", live), opened)).state, "Active");
    const states = opened.events.flatMap((event) =>
      event.type === "function-state" && event.function === "f:1" ? [event.state] : [],
    );
    assert.deepEqual(states, ["Pending", "Active"]);
  });

  it("stay where they are when the new version fails", async () => {
    await deploy(desiredFor("first", live));
    on.plane.lambda.before = (operation, { query }) => {
      const version = on.plane.lambda.function("f")?.versions[1];
      if (operation !== "GetFunction" || !query.has("Qualifier") || !version) return;
      Object.assign(version, { state: "Failed", stateReasonCode: "FunctionError.InitTimeout" });
    };
    const error = await failure(deploy(desiredFor("second", live)));
    assert.equal(error.code, "FUNCTION_FAILED");
    assert.match(error.message, /version 2 of f in eu-west-1 ended as Failed: FunctionError\.InitTimeout/);
    assert.equal(on.plane.lambda.function("f")?.aliases.get("live")?.["FunctionVersion"], "1");
  });

  it("a version and an alias are called once before the alias moves", async () => {
    await deploy(desiredFor("first", { ...live, warm: true }));
    assert.deepEqual(on.plane.lambda.invoked, ["f:1"]);
    assert.deepEqual(changes(), ["CreateFunction", "PublishVersion", "Invoke", "CreateAlias"]);
  });

  it("may take longer over that call than AWS may over an answer", async () => {
    on.plane.lambda.origin.fault = failing("Invoke", { do: "delay", ms: 1200 });
    const opened = openedApi(on.plane, undefined, {}, 1000);
    await deploy(desiredFor("first", { ...live, warm: true }), opened);
    assert.deepEqual(on.plane.lambda.invoked, ["f:1"], "called once, and waited for");
  });

  it("stay where they are when the new version does not start", async () => {
    await deploy(desiredFor("first", live));
    on.plane.lambda.invocation = {
      headers: { "x-amz-function-error": "Unhandled" },
      body: { errorType: "Runtime.ImportModuleError", errorMessage: "No module named 'x'" },
    };
    const error = await failure(deploy(desiredFor("second", { ...live, warm: true })));
    assert.equal(error.code, "FUNCTION_FAILED");
    assert.match(
      error.message,
      /version 2 of f in eu-west-1 does not start: Runtime\.ImportModuleError: No module named 'x'; no alias was moved/,
    );
    assert.equal(on.plane.lambda.function("f")?.aliases.get("live")?.["FunctionVersion"], "1");
  });

  it("move when only the handler fails on an empty event, which is told", async () => {
    on.plane.lambda.invocation = {
      headers: { "x-amz-function-error": "Unhandled" },
      body: { errorType: "KeyError", errorMessage: "'name'" },
    };
    const opened = openedApi(on.plane);
    await deploy(desiredFor("first", { ...live, warm: true }), opened);
    assert.match(JSON.stringify(opened.events), /its handler failed on the event \{\}: KeyError: 'name'/);
    assert.equal(on.plane.lambda.function("f")?.aliases.get("live")?.["FunctionVersion"], "1");
  });

  it("a version and an alias are read again when somebody moves the alias in between", async () => {
    await deploy(desiredFor("first", live));
    let first = true;
    on.plane.lambda.before = (operation) => {
      if (operation !== "UpdateAlias" || !first) return;
      first = false;
      const aliases = on.plane.lambda.function("f")?.aliases;
      aliases?.set("live", { ...aliases.get("live"), RevisionId: "another" });
    };
    await deploy(desiredFor("second", live));
    assert.equal(on.plane.lambda.function("f")?.aliases.get("live")?.["FunctionVersion"], "2");
  });
});

describe("what AWS does not allow", () => {
  for (const action of [
    "lambda:GetFunction",
    "lambda:CreateFunction",
    "iam:PassRole",
    "lambda:ListVersionsByFunction",
    "lambda:PublishVersion",
    "lambda:GetAlias",
    "lambda:CreateAlias",
    "lambda:InvokeFunction",
  ]) {
    it(`what AWS does not allow is named: ${action}, and who asked`, async () => {
      on.plane.lambda.denied.add(action);
      const desired = desiredFor("first", { publish: true, alias: { name: "live" }, warm: true });
      const error = await failure(deploy(desired));
      assert.equal(error.code, "DENIED");
      assert.ok(
        error.message.includes(`${action} is not allowed (User: arn:aws:iam::123456789012:user/builder`),
        error.message,
      );
      assert.match(
        error.hint,
        new RegExp(
          `allow ${action} on the resource arn:aws:.* in the IAM policy of arn:aws:iam::123456789012:user/builder`,
        ),
      );
    });
  }

  for (const action of [
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
    "lambda:UpdateAlias",
  ]) {
    it(`what AWS does not allow is named: ${action}`, async () => {
      await deploy(desiredFor("first", { publish: true, alias: { name: "live" } }));
      on.plane.lambda.denied.add(action);
      const error = await failure(
        deploy(desiredFor("second", { settings: { memory: 300 }, publish: true, alias: { name: "live" } })),
      );
      assert.equal(error.code, "DENIED");
      assert.ok(error.message.includes(`${action} is not allowed`), error.message);
    });
  }

  it("what AWS does not allow is an expired session", async () => {
    on.plane.lambda.sessionExpired = true;
    const error = await failure(deploy(desiredFor()));
    assert.equal(error.code, "CREDENTIALS_INVALID");
    assert.match(error.message, /session has expired/);
  });

  it("what AWS does not allow is too many requests, for a while", async () => {
    const body = JSON.stringify({ message: "Rate exceeded", Type: "User" });
    const headers = { "x-amzn-errortype": "TooManyRequestsException" };
    const throttled = { do: "answer", status: 429, headers, body } as const;
    on.plane.lambda.origin.fault = failing("CreateFunction GetFunction", throttled, { times: 5 });
    assert.equal((await deploy(desiredFor())).how, "created");
    on.plane.lambda.origin.fault = failing("GetFunction", throttled);
    const error = await failure(deploy(desiredFor()));
    assert.equal(error.code, "REGISTRY_ANSWER");
    assert.match(error.message, /TooManyRequestsException: Rate exceeded/);
  });
});

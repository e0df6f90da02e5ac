import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, it } from "node:test";
import { appOf, nodeFunction, read } from "../../support/local-function.ts";
import { until } from "../../support/time.ts";

const major = Number(process.versions.node.split(".")[0]);

describe("a function in Node on this machine", () => {
  it("answers with what an async handler of a CommonJS module returns", async (t) => {
    const local = await nodeFunction(t, {
      "index.js": "exports.handler = async (event) => ({ hello: event.name });",
    });
    assert.deepEqual(read(await local.invoke({ name: "Ada" })), { kind: "result", value: { hello: "Ada" } });
    assert.match(local.environment.ranWith, /of this machine, no sandbox, lambda-pack's own runtime client$/);
  });

  it("answers several events one after the other from one process, as an ES module with top-level await", async (t) => {
    const local = await nodeFunction(t, {
      "index.mjs": "let n = await Promise.resolve(0); export const handler = async () => ++n;",
    });
    const values = [await local.invoke(1), await local.invoke(2)].map((report) => read(report).value);
    assert.deepEqual(values, [1, 2]);
  });

  it("finds a nested export in a directory, and an ES module by its package.json", async (t) => {
    const local = await nodeFunction(
      t,
      {
        "package.json": '{"type":"module"}',
        "src/api.js": "export const routes = { get: async () => import.meta.url.endsWith('src/api.js') };",
      },
      { handler: "src/api.routes.get" },
    );
    assert.deepEqual(read(await local.invoke({})), { kind: "result", value: true });
  });

  it("answers null if the handler returns nothing", async (t) => {
    const local = await nodeFunction(t, { "index.js": "exports.handler = async () => {};" });
    assert.deepEqual(read(await local.invoke({})), { kind: "result", value: null });
  });

  it("waits for the event loop after a callback, unless the context says otherwise", {
    skip: major >= 24,
  }, async (t) => {
    const source = `
      let finished = false;
      exports.handler = (event, context, callback) => {
        if (event.ask) { context.callbackWaitsForEmptyEventLoop = false; return callback(null, finished); }
        setTimeout(() => { finished = true; }, 30);
        callback(null, "called");
      };`;
    const local = await nodeFunction(t, { "index.js": source });
    assert.equal(read(await local.invoke({})).value, "called");
    assert.equal(read(await local.invoke({ ask: true })).value, true);
  });

  it("reports a handler whose promise never settles, and goes on", async (t) => {
    const local = await nodeFunction(t, {
      "index.js": "exports.handler = (event) => event.wait ? new Promise(() => {}) : Promise.resolve('on');",
    });
    const { kind, value } = read(await local.invoke({ wait: true }));
    assert.equal(kind, "error");
    assert.equal((value as { errorType: string }).errorType, "Runtime.NodeJsExit");
    assert.equal(read(await local.invoke({})).value, "on");
  });

  it("reports a value that JSON cannot hold, as AWS's client does", async (t) => {
    const local = await nodeFunction(t, { "index.js": "exports.handler = async () => 10n;" });
    const { value } = read(await local.invoke({}));
    assert.equal((value as { errorMessage: string }).errorMessage, "Unable to stringify response body");
  });

  it("gives type, message and stack trace of what the handler throws", async (t) => {
    const local = await nodeFunction(t, {
      "index.js": "exports.handler = async () => { throw new TypeError('no such thing'); };",
    });
    const { kind, value } = read(await local.invoke({}));
    const { errorType, errorMessage, trace } = value as Record<string, unknown>;
    assert.deepEqual([kind, errorType, errorMessage], ["error", "TypeError", "no such thing"]);
    assert.match(String((trace as string[])[1]), /index\.js:1/);
    assert.match(local.log(), /\tERROR\tInvoke Error \t\{"errorType":"TypeError"/);
  });

  const broken = [
    ["Runtime.HandlerNotFound", { "index.js": "exports.other = 1;" }, "index.handler"],
    ["Runtime.ImportModuleError", { "index.js": "require('not-there');" }, "index.handler"],
    ["Runtime.UserCodeSyntaxError", { "index.js": "exports.handler = (" }, "index.handler"],
    ["Runtime.MalformedHandlerName", { "index.js": "" }, "index"],
    ["RangeError", { "index.mjs": "throw new RangeError('at the start');" }, "index.handler"],
  ] as const;
  for (const [errorType, files, handler] of broken) {
    it(`reports ${errorType} of a start that fails`, async (t) => {
      const local = await nodeFunction(t, files as Record<string, string>, { handler });
      const { kind, value } = read(await local.invoke({}));
      assert.equal(kind, "error");
      assert.equal((value as { errorType: string }).errorType, errorType);
      assert.match(local.log(), new RegExp(`INIT_REPORT .*\\tStatus: error\\tError Type: ${errorType}\n`));
    });
  }

  it("reports an error that the runtime posts with Lambda's own type and a body that is not JSON", async (t) => {
    const source = `
      const api = "http://" + process.env.AWS_LAMBDA_RUNTIME_API + "/2018-06-01/runtime/invocation/";
      exports.handler = async (event, { awsRequestId }) => {
        const headers = { "lambda-runtime-function-error-type": "Runtime.ExitError" };
        await fetch(api + awsRequestId + "/error", { method: "POST", headers, body: "no JSON" });
      };`;
    const local = await nodeFunction(t, { "index.js": source });
    const { outcome } = await local.invoke({});
    assert.equal(outcome.kind === "error" && outcome.errorType, "Runtime.ExitError");
    assert.equal(outcome.body.toString(), "no JSON");
  });

  it("reports the exit status of a function that ends its process", async (t) => {
    const local = await nodeFunction(t, { "index.js": "exports.handler = () => process.exit(3);" });
    const report = await local.invoke({});
    const { kind, value } = read(report);
    assert.equal(kind, "error");
    assert.deepEqual(value, {
      errorType: "Runtime.ExitError",
      errorMessage: `RequestId: ${report.requestId} Error: Runtime exited with error: exit status 3`,
    });
    assert.equal(local.environment.over, true);
    assert.equal(read(await local.invoke({})).kind, "error");
  });

  it("stops a function at its timeout and says so as Lambda does", async (t) => {
    const local = await nodeFunction(
      t,
      { "index.js": "exports.handler = () => new Promise((done) => setTimeout(done, 60_000));" },
      { timeoutMs: 300 },
    );
    const report = await local.invoke({});
    assert.equal(report.outcome.kind, "timeout");
    assert.match(local.log(), new RegExp(`${report.requestId} Task timed out after 0.30 seconds`));
    assert.match(local.log(), /\tStatus: timeout\n$/);
  });

  it("starts a second time, within the invocation's time, if the init phase takes too long", async (t) => {
    const file = join(appOf(t, {}), "go");
    const source = `
      const { existsSync } = require("node:fs");
      while (!existsSync(process.env.GO)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      exports.handler = async () => "started";`;
    const settings = { initTimeoutMs: 300, variables: { GO: file } };
    const local = await nodeFunction(t, { "index.js": source }, settings);
    const invocation = local.invoke({});
    await until(() => local.log().includes("INIT_REPORT"), "the init phase is over");
    writeFileSync(file, "");
    const report = await invocation;
    assert.deepEqual(read(report), { kind: "result", value: "started" });
    assert.equal(report.initDurationMs, undefined);
    assert.match(local.log(), /^INIT_REPORT Init Duration: [\d.]+ ms\tPhase: init\tStatus: timeout\nSTART /);
  });

  it("reports the time of the init phase, and not that until the first event", async (t) => {
    const startedAt = performance.now();
    const local = await nodeFunction(t, { "index.js": "exports.handler = async () => 1;" });
    await local.environment.init;
    const readyMs = performance.now() - startedAt;
    await new Promise((done) => setTimeout(done, 50));
    const { initDurationMs = Number.NaN } = await local.invoke({});
    assert.ok(initDurationMs <= readyMs, `${initDurationMs} ms of ${readyMs} ms`);
  });

  it("starts a second time, within the invocation's time, if the start fails", async (t) => {
    const file = join(appOf(t, {}), "starts");
    const source = `
      const { appendFileSync, readFileSync } = require("node:fs");
      appendFileSync(process.env.STARTS, "x");
      if (readFileSync(process.env.STARTS, "utf8").length === 1) throw new RangeError("not yet");
      exports.handler = async () => readFileSync(process.env.STARTS, "utf8");`;
    const local = await nodeFunction(t, { "index.js": source }, { variables: { STARTS: file } });
    assert.deepEqual(read(await local.invoke({})), { kind: "result", value: "xx" });
    assert.equal(local.environment.over, false);
    assert.match(local.log(), /\nINIT_REPORT .*\tPhase: init\tStatus: error\tError Type: RangeError\nSTART /);
  });

  it("answers with the error of a start that fails twice, and reports both", async (t) => {
    const local = await nodeFunction(t, { "index.js": 'throw new RangeError("never");' });
    const report = await local.invoke({});
    assert.equal(report.outcome.kind === "error" && report.outcome.errorType, "RangeError");
    const phases = local.log().match(/Phase: \w+\tStatus: \w+|START|REPORT RequestId/g);
    assert.deepEqual(phases, [
      ...["Phase: init\tStatus: error", "Phase: invoke\tStatus: error", "START", "REPORT RequestId"],
    ]);
  });

  it("logs the error of a start that fails twice in the same way once", async (t) => {
    const local = await nodeFunction(t, { "index.js": 'throw new RangeError("never");' });
    await local.invoke({});
    assert.equal(local.log().match(/"errorMessage":"never"/g)?.length, 1);
  });

  it("logs both errors of a start that fails twice in different ways", async (t) => {
    const file = join(appOf(t, {}), "starts");
    const source = `
      const { appendFileSync, readFileSync } = require("node:fs");
      appendFileSync(process.env.STARTS, "x");
      throw new RangeError("start " + readFileSync(process.env.STARTS, "utf8").length);`;
    const local = await nodeFunction(t, { "index.js": source }, { variables: { STARTS: file } });
    await local.invoke({});
    assert.deepEqual(local.log().match(/"errorMessage":"start \d"/g), [
      ...['"errorMessage":"start 1"', '"errorMessage":"start 2"'],
    ]);
  });

  it("stops a start that is tried again at the function's timeout", async (t) => {
    const source = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);";
    const local = await nodeFunction(t, { "index.js": source }, { initTimeoutMs: 200, timeoutMs: 300 });
    const report = await local.invoke({});
    assert.equal(report.outcome.kind, "timeout");
    assert.match(
      local.log(),
      /Phase: init\tStatus: timeout\nINIT_REPORT .*\tPhase: invoke\tStatus: timeout\nSTART /,
    );
  });

  it("a function in Node on this machine has answered, and is stopped, if it does not ask for the next event before its timeout", async (t) => {
    // The first request of a process takes much longer than the next ones.
    const source = `
      const api = "http://" + process.env.AWS_LAMBDA_RUNTIME_API + "/2018-06-01/runtime/invocation/";
      const answer = (id) => fetch(api + id + "/response", { method: "POST", body: "7" });
      const warm = answer("none");
      exports.handler = async (event, { awsRequestId }) => {
        await warm;
        await answer(awsRequestId);
        await new Promise((done) => setTimeout(done, 60_000));
      };`;
    const local = await nodeFunction(t, { "index.js": source }, { timeoutMs: 1000 });
    const report = await local.invoke({});
    assert.deepEqual([read(report).value, report.isLate, local.environment.over], [7, true, true]);
    assert.match(local.log(), /Task timed out after 1.00 seconds(?:.*\n)*.*\tStatus: timeout\n$/);
  });

  it("refuses a response of 7 MB and accepts one of 6 MB", async (t) => {
    const local = await nodeFunction(t, {
      "index.js": "exports.handler = async ({ size }) => 'x'.repeat(size);",
    });
    const { outcome } = await local.invoke({ size: 7 * 1024 * 1024 });
    assert.equal(outcome.kind === "error" && outcome.errorType, "Function.ResponseSizeTooLarge");
    const fits = await local.invoke({ size: 6 * 1024 * 1024 });
    assert.equal(fits.outcome.body.length, 6 * 1024 * 1024 + 2);
  });

  it("passes on each part of a streamed response while the function still writes", async (t) => {
    const source = `
      let goOn;
      exports.handler = awslambda.streamifyResponse(async (event, stream) => {
        stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });
        stream.write("first");
        await fetch(event.url);
        stream.end("second");
      });`;
    const parts: string[] = [];
    // The function cannot go on before the first part has been seen.
    const server = createServer((_, response) => {
      const timer = setInterval(() => {
        if (!parts.join("").includes("first")) return;
        clearInterval(timer);
        response.end();
      }, 5);
    });
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    t.after(() => server.close());
    const { port } = server.address() as { port: number };
    const local = await nodeFunction(t, { "index.js": source });
    const types = new Set<string>();
    const { outcome } = await local.invoke(
      { url: `http://127.0.0.1:${port}/` },
      {
        onChunk: (chunk, type) => {
          parts.push(Buffer.from(chunk).toString());
          types.add(type);
        },
      },
    );
    assert.equal(outcome.kind, "result");
    assert.equal(parts.join(""), `{"statusCode":201}${"\0".repeat(8)}firstsecond`);
    assert.deepEqual([...types], ["application/vnd.awslambda.http-integration-response"]);
  });

  it("reports an error in the middle of a streamed response", async (t) => {
    const source = `exports.handler = awslambda.streamifyResponse(async (event, stream) => {
      stream.write("part");
      throw new RangeError("half way");
    });`;
    const local = await nodeFunction(t, { "index.js": source });
    const { outcome } = await local.invoke({});
    assert.equal(outcome.kind === "error" && outcome.errorType, "RangeError");
  });

  it("tells the context: request, deadline, ARN, memory, client context", async (t) => {
    const source = `exports.handler = async (event, context) => ({
      ...context, left: context.getRemainingTimeInMillis(), trace: process.env._X_AMZN_TRACE_ID,
    });`;
    const local = await nodeFunction(t, { "index.js": source });
    const report = await local.invoke({}, { clientContext: '{"custom":{"a":1}}', traceId: "Root=1-2-3" });
    const context = read(report).value as Record<string, unknown>;
    assert.equal(context["awsRequestId"], report.requestId);
    assert.equal(context["invokedFunctionArn"], "arn:aws:lambda:us-east-1:123456789012:function:hello");
    assert.equal(context["memoryLimitInMB"], "128");
    assert.deepEqual(context["clientContext"], { custom: { a: 1 } });
    assert.equal(context["trace"], "Root=1-2-3");
    assert.ok(Number(context["left"]) > 0 && Number(context["left"]) <= 20_000);
  });

  it("gives the function Lambda's variables and the user's, and none of the caller's", async (t) => {
    process.env["LAMBDA_PACK_TEST_SECRET"] = "of the caller";
    t.after(() => delete process.env["LAMBDA_PACK_TEST_SECRET"]);
    const local = await nodeFunction(
      t,
      { "index.js": "exports.handler = async () => process.env;" },
      { variables: { TABLE: "orders", AWS_REGION: "eu-west-1" } },
    );
    const variables = read(await local.invoke({})).value as Record<string, string>;
    assert.equal(variables["TABLE"], "orders");
    assert.equal(variables["AWS_REGION"], "eu-west-1");
    assert.equal(variables["_HANDLER"], "index.handler");
    const lambda =
      /^(?:AWS_|LAMBDA_|_HANDLER$|_X_AMZN_TRACE_ID$|LANG$|TZ$|PATH$|TABLE$|PWD$|SHLVL$|_$|OLDPWD$)/;
    assert.deepEqual(
      Object.keys(variables).filter((name) => !lambda.test(name)),
      [],
    );
  });

  it("writes START, log lines, END and REPORT in this order", async (t) => {
    const local = await nodeFunction(t, {
      "index.js": "exports.handler = async () => { console.log('at %d', 7); console.warn('careful'); };",
    });
    const { requestId } = await local.invoke({});
    const [start, log, warning, end, report] = local.log().split("\n");
    assert.equal(start, `START RequestId: ${requestId} Version: $LATEST`);
    assert.match(log ?? "", new RegExp(`^[-0-9T:.]+Z\\t${requestId}\\tINFO\\tat 7$`));
    assert.match(warning ?? "", /\tWARN\tcareful$/);
    assert.equal(end, `END RequestId: ${requestId}`);
    assert.match(
      report ?? "",
      /^REPORT RequestId: \S+\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t(?:Max Memory Used: \d+ MB\t)?Init Duration: [\d.]+ ms$/,
    );
  });

  it("uses aws-lambda-ric if the app has it, with the native part replaced", async (t) => {
    // The shape of AWS's package: an entry that requires its native part and asks it for events.
    const client = `
      import { createRequire } from "node:module";
      const native = createRequire(import.meta.url)("./rapid-client.node");
      native.initializeClient("test");
      const { headers, bodyJson } = await native.next();
      native.done(headers["lambda-runtime-aws-request-id"], JSON.stringify({ through: "native", event: JSON.parse(bodyJson) }));
      await native.next();`;
    const local = await nodeFunction(t, {
      "index.js": "exports.handler = async () => 'ours';",
      "node_modules/aws-lambda-ric/index.mjs": client,
    });
    assert.deepEqual(read(await local.invoke("é")).value, { through: "native", event: "é" });
    assert.match(local.environment.ranWith, /, aws-lambda-ric$/);
  });

  it("sends an error of aws-lambda-ric before that ends the process", async (t) => {
    const client = `
      import { createRequire } from "node:module";
      const native = createRequire(import.meta.url)("./rapid-client.node");
      const { headers } = await native.next();
      native.error(headers["lambda-runtime-aws-request-id"], '{"errorType":"TypeError","errorMessage":"late"}', "");
      process.exit(128);`;
    const local = await nodeFunction(t, {
      "index.js": "exports.handler = async () => 'ours';",
      "node_modules/aws-lambda-ric/index.mjs": client,
    });
    assert.deepEqual(read(await local.invoke({})).value, { errorType: "TypeError", errorMessage: "late" });
  });
});

import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { hostLauncher } from "../../../src/runtime/host/launcher.ts";
import { describeReal } from "../../support/components/components.ts";
import { appOf, read, type Settings, startFunction } from "../../support/local-function.ts";
import { run } from "../../support/run.ts";
import { temporaryDirectory } from "../../support/trees.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Every outcome of a function that a caller can see, chosen by the event. */
const APP = `
  if (process.env.BROKEN) throw new RangeError("at the start");
  exports.handler = async (event, context) => {
    if (event.error) throw new TypeError("no such order");
    if (event.exit) process.exit(3);
    if (event.hang) await new Promise((done) => setTimeout(done, 60_000));
    if (event.size) return "x".repeat(event.size);
    return { event, id: context.awsRequestId, left: context.getRemainingTimeInMillis() > 0 };
  };
  exports.stream = awslambda.streamifyResponse(async (event, stream) => {
    stream.write("one ");
    if (event.error) throw new TypeError("in the middle");
    stream.end("two");
  });`;

describeReal("AWS's client for Node from npm, with its native part replaced", ["npm"], () => {
  for (const version of ["3.3.0", "4.0.2"]) {
    describe(`aws-lambda-ric ${version}`, () => {
      const packages = temporaryDirectory();
      before(async () => {
        const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefix", packages];
        await run("npm", ["install", ...flags, `aws-lambda-ric@${version}`], { cwd: root });
      });

      async function start(t: TestContext, settings: Settings = {}) {
        const directory = appOf(t, { "index.js": APP });
        symlinkSync(join(packages, "node_modules"), join(directory, "node_modules"));
        const launcher = await hostLauncher({ directory, language: "nodejs" }, { environment: process.env });
        return startFunction(t, launcher, { handler: "index.handler", ...settings });
      }

      it("answers with the handler's result, and the next event with its own", async (t) => {
        const local = await start(t);
        for (const order of [1, 2]) {
          const { kind, value } = read(await local.invoke({ order }, { requestId: `request-${order}` }));
          assert.deepEqual(
            [kind, value],
            ["result", { event: { order }, id: `request-${order}`, left: true }],
          );
        }
        assert.match(local.environment.ranWith, /, aws-lambda-ric$/);
      });

      it("reports an error of the handler with its stack, and goes on", async (t) => {
        const local = await start(t);
        const { kind, value } = read(await local.invoke({ error: true }));
        const { errorType, errorMessage, trace } = value as Record<string, unknown>;
        assert.deepEqual([kind, errorType, errorMessage], ["error", "TypeError", "no such order"]);
        assert.match(String(trace), /index\.js/);
        assert.equal(read(await local.invoke({})).kind, "result");
      });

      it("reports a start that fails", async (t) => {
        const local = await start(t, { variables: { BROKEN: "1" } });
        assert.match(JSON.stringify(read(await local.invoke({})).value), /RangeError.*at the start/);
      });

      it("reports the end of the process, and a timeout", async (t) => {
        const ended = await (await start(t)).invoke({ exit: true });
        assert.match(ended.outcome.body.toString(), /Runtime exited with error: exit status 3/);
        const late = await (await start(t, { timeoutMs: 1500 })).invoke({ hang: true });
        assert.equal(late.outcome.kind, "timeout");
      });

      it("reports a response of 7 MB as too large", async (t) => {
        const report = await (await start(t)).invoke({ size: 7 * 1024 * 1024 });
        assert.match(report.outcome.body.toString(), /Function\.ResponseSizeTooLarge/);
      });

      it("streams a response, and reports an error in the middle of one", async (t) => {
        const local = await start(t, { handler: "index.stream" });
        const chunks: string[] = [];
        const onChunk = (chunk: Uint8Array) => void chunks.push(Buffer.from(chunk).toString());
        const { outcome } = await local.invoke({}, { onChunk });
        assert.deepEqual([outcome.kind, chunks.join("")], ["result", "one two"]);
        const failed = await local.invoke({ error: true }, { onChunk });
        assert.match(failed.outcome.body.toString(), /in the middle/);
      });
    });
  }
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { EventEmitter } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { dev, type InvokeOptions, type InvokeResult, invoke, SAMPLES } from "../../../src/index.ts";
import { lambdaPack, type Outcome } from "../../support/cli/cli.ts";
import { lockedAs, npmRegistry, testPackage } from "../../support/http/npm-registry.ts";
import { appOf } from "../../support/local-function.ts";
import { PROGRAM } from "../../support/run.ts";

const ECHO = `exports.handler = async (event, context) => {
  console.log("a line");
  if (event.fail) throw new TypeError("no such thing");
  if (event.wait) await new Promise((done) => setTimeout(done, 60_000));
  return { event, variables: { A: process.env.A, B: process.env.B, SECRET: process.env.SECRET }, name: context.functionName };
};`;

function run(app: string, ...flags: readonly string[]): Promise<Outcome> {
  const environment = { PATH: process.env["PATH"], SECRET: "of the caller", B: "from outside" };
  return lambdaPack(["invoke", app, ...flags], { environment, aws: { invoke } });
}

describe("invoke of a directory", () => {
  const echo = (t: TestContext) => appOf(t, { "index.js": ECHO });

  it("writes the result and nothing else to stdout, the log to stderr", async (t) => {
    const { status, stdout, stderr } = await run(echo(t), "--event", '{"n":1}', "--function-name", "orders");
    assert.equal(status, 0);
    assert.deepEqual(JSON.parse(stdout), { event: { n: 1 }, variables: {}, name: "orders" });
    assert.match(
      stderr,
      /run index\.handler {2}node [\d.]+ of this machine, no sandbox, lambda-pack's own runtime client\n/,
    );
    assert.match(stderr, /\nSTART RequestId: .*\n.*\tINFO\ta line\nEND RequestId: .*\nREPORT RequestId: /);
  });

  it("ends with status 1 and tells type, message and stack trace of what the function throws", async (t) => {
    const { status, stdout, stderr } = await run(echo(t), "--event", '{"fail":true}');
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(
      stderr,
      /error: the function failed with TypeError: no such thing\nTypeError: no such thing\n {4}at .*index\.js:3/,
    );
  });

  it("ends with status 124 when the function takes longer than --timeout", async (t) => {
    const { status, stderr } = await run(echo(t), "--event", '{"wait":true}', "--timeout", "1");
    assert.equal(status, 124);
    assert.match(stderr, /Task timed out after 1\.00 seconds/);
    assert.match(
      stderr,
      /error: the function failed with Sandbox\.Timedout[^\n]*\n {2}fix: give it more time with --timeout/,
    );
  });

  it("writes one object with --json, also for a function that fails", async (t) => {
    const { status, stdout, stderr } = await run(echo(t), "--event", '{"fail":true}', "--json");
    assert.match(stderr, /\n\{"type":"error","code":"INVOCATION_FAILED",.*\}\n$/);
    const result: InvokeResult = JSON.parse(stdout);
    assert.deepEqual([status, result.outcome, result.error?.errorType], [1, "error", "TypeError"]);
    assert.match(result.logs, /INFO\ta line\n/);
    assert.equal(result.handler, "index.handler");
  });

  it("passes the variables of --env and --env-file and no other of the caller's", async (t) => {
    const app = appOf(t, { "index.js": ECHO, "dev.env": 'A="from the file"\nC=1\n' });
    const { stdout } = await run(app, "--env-file", join(app, "dev.env"), "--env", "B");
    assert.deepEqual(JSON.parse(stdout).variables, { A: "from the file", B: "from outside" });
  });

  for (const command of ["invoke", "dev"])
    it(`${command} of a handler that is not there names one that is, and no flag that ${command} lacks`, async (t) => {
      const argv = [command, echo(t), "--handler", "index.handle"];
      const environment = { PATH: process.env["PATH"] };
      const { status, stderr } = await lambdaPack(argv, { environment, aws: { invoke, dev } });
      assert.equal(status, 1);
      assert.match(stderr, /\n {2}fix: did you mean index\.handler\?\n$/);
    });

  for (const command of ["invoke", "dev"])
    it(`${command} refuses to choose between the two usual handlers of a directory`, async (t) => {
      const app = appOf(t, { "index.js": ECHO, "app.js": ECHO });
      const environment = { PATH: process.env["PATH"] };
      const { status, stderr } = await lambdaPack([command, app], { environment, aws: { invoke, dev } });
      assert.equal(status, 1);
      assert.match(stderr, /several handlers are possible: index\.handler, app\.handler\n/);
      assert.match(stderr, /fix: choose one: --handler index\.handler or --handler app\.handler\n$/);
    });

  it("invoke --sandbox says that a flag in a hint is one of build", async (t) => {
    const app = appOf(t, { "index.js": ECHO, ".env": "PASSWORD=abcdefgh12345678\n" });
    const { status, stderr } = await run(app, "--sandbox", "--base", "scratch", "--handler", "index.handler");
    assert.equal(status, 1);
    assert.match(
      stderr,
      /--allow-secret \.env if it is meant to be there; invoke has no --allow-secret: use/,
    );
  });

  it("refuses a variable that only Lambda sets", async (t) => {
    const { status, stderr } = await run(echo(t), "--env", "_HANDLER=other.handler");
    assert.equal(status, 2);
    assert.match(stderr, /the variable _HANDLER is Lambda's own/);
  });

  it("takes the event from a file and refuses what is neither JSON nor a file", async (t) => {
    const app = appOf(t, { "index.js": ECHO, "event.json": '{"from":"a file"}', "broken.json": "{" });
    assert.deepEqual(JSON.parse((await run(app, "--event", join(app, "event.json"))).stdout).event, {
      from: "a file",
    });
    const { status, stderr } = await run(app, "--event", join(app, "event.jsn"));
    assert.equal(status, 2);
    assert.match(stderr, /is neither JSON nor a file that can be read\n {2}fix: /);
  });

  it("says where an event is not JSON", async (t) => {
    const app = appOf(t, { "index.js": ECHO, "broken.json": '{"a": 1,\n "b": [1 2]}', "empty.json": " " });
    const cases = [
      ['{"a": 1,, }', /the event in --event is not JSON: line 1, column 9: \w+/],
      ["{n:1}", /line 1, column 2: /],
      [join(app, "broken.json"), /broken\.json is not JSON: line 2, column 10: comma expected/],
      [join(app, "empty.json"), /there is no event in .*empty\.json/],
    ] as const;
    for (const [event, message] of cases) {
      const { status, stderr } = await run(app, "--event", event);
      assert.equal(status, 2);
      assert.match(stderr, message);
    }
  });

  it("refuses a standard input that is closed if the event should come from it", async (t) => {
    const command = ["invoke", echo(t), "--event", "-"];
    const words = ["-c", '"$@" <&-', "sh", process.execPath, ...PROGRAM, ...command];
    const { status, stderr } = spawnSync("/bin/sh", words, { encoding: "utf8" });
    assert.equal(status, 2);
    assert.match(stderr, /there is no event in standard input/);
  });

  it("bundles a function in TypeScript and runs the bundle", async (t) => {
    const app = appOf(t, {
      "src/app.ts": 'import { greet } from "./greet.ts";\nexport const handler = async () => greet("you");',
      "src/greet.ts": "export const greet = (name: string): string => 'hello ' + name;",
    });
    const { stdout, stderr, status } = await run(app, "--bundle", "--handler", "src/app.handler");
    assert.deepEqual([stdout, status], ['"hello you"\n', 0], stderr);
    assert.deepEqual(readdirSync(app).sort(), ["package.json", "src"]);
  });

  it("installs what the lock file names, and runs a copy of the directory with it", {
    skip: process.platform !== "linux" && "packages are installed for Linux",
  }, async (t) => {
    const seven = await testPackage("seven", "1.0.0", { "index.js": "module.exports = 7;" });
    const { url } = await npmRegistry(t, [seven]);
    const lock = { "": { dependencies: { seven: "^1" } }, "node_modules/seven": lockedAs(seven) };
    const app = appOf(t, {
      "index.js": "exports.handler = async () => [require('seven'), require('./data.json')];",
      "data.json": "8",
      "package.json": JSON.stringify({ dependencies: { seven: "^1" } }),
      "package-lock.json": JSON.stringify({ lockfileVersion: 3, packages: lock }),
      ".npmrc": `registry=${url}\n`,
    });
    const result = await invoke({ source: app, install: true, cache: false });
    assert.equal(result.response, "[7,8]", result.logs);
    assert.equal(existsSync(join(app, "node_modules")), false);
  });

  it("runs a function of a configuration file by its name, with the settings of the file", async (t) => {
    const config =
      '{ "functions": { "api": { "directory": "a", "handler": "x.run", "env": { "A": "1" } } } }';
    const source = "exports.run = async (event, c) => [process.env.A, process.env.B, c.functionName];";
    const app = appOf(t, { "lambda-pack.jsonc": config, "a/package.json": "{}", "a/x.js": source });
    const file = join(app, "lambda-pack.jsonc");
    const { response } = await invoke({ source: "api", config: file, env: { B: "2" } });
    assert.equal(response, '["1","2","api"]');
    await assert.rejects(invoke({ source: "apo", config: file }), {
      code: "USAGE",
      hint: /did you mean api/,
    });
    const { stdout, stderr } = await run("api", "--config", file);
    assert.equal(stdout, '["1",null,"api"]\n', stderr);
  });

  it("takes the event from standard input", async (t) => {
    const args = [...PROGRAM, "invoke", echo(t), "--event", "-"];
    const { stdout } = spawnSync(process.execPath, args, { input: '{"from":"a pipe"}', encoding: "utf8" });
    assert.deepEqual(JSON.parse(stdout).event, { from: "a pipe" });
  });

  it("refuses another machine's architecture", async (t) => {
    const other = process.arch === "arm64" ? "x86_64" : "arm64";
    const { status, stderr } = await run(echo(t), "--arch", other);
    assert.equal(status, 2);
    assert.match(stderr, new RegExp(`and --arch says ${other}`));
  });

  it("refuses an event of more than 6 MB before anything runs", async (t) => {
    const source = echo(t);
    await assert.rejects(invoke({ source, event: "x".repeat(6 * 1024 * 1024) }), { code: "USAGE" });
  });

  it("invoke of a directory does not find a handler that the ignore file leaves out", async (t) => {
    const app = appOf(t, { "index.js": ECHO, "other.js": "", ".lambdaignore": "index.js\n" });
    const { status, stderr } = await run(app, "--handler", "index.handler");
    assert.equal(status, 1);
    assert.match(stderr, /the handler index\.handler is in no file of the app/);
  });

  it("warns of memory that Lambda would not have given", async (t) => {
    const app = appOf(t, {
      "index.js": "exports.handler = async () => Buffer.alloc(200_000_000, 1).length;",
    });
    const { status, stderr } = await run(app);
    assert.equal(status, 0);
    if (process.platform === "linux")
      assert.match(stderr, /^warning: the function used \d+ MB; with 128 MB Lambda would have stopped it/m);
  });

  it("warns of a package.json above the directory that changes what kind of module the function is", async (t) => {
    const above = appOf(t, {
      "package.json": '{"type":"module"}',
      "app/index.js": "export const handler = async () => 1;",
    });
    const { status, stderr } = await run(join(above, "app"));
    assert.equal(status, 0);
    assert.match(stderr, /warning: .*package\.json makes ES modules of the function's \.js files here/);
  });

  it("warns of flags about images, which a directory that runs as it is does not need", async (t) => {
    const { status, stderr } = await run(echo(t), "--jobs", "2", "--offline", "--extra", "x");
    assert.equal(status, 0);
    for (const flag of ["--jobs", "--offline"])
      assert.match(stderr, new RegExp(`${flag} has no effect: the directory runs as it is`));
    assert.match(stderr, /--extra has no effect: nothing is installed/);
  });

  it("writes a streamed response to stdout as it comes", async (t) => {
    const source = `exports.handler = awslambda.streamifyResponse(async (event, stream) => {
      stream.write("one "); stream.end("two");
    });`;
    assert.equal((await run(appOf(t, { "index.js": source }))).stdout, "one two");
  });

  it("stops the function when the caller's signal does", async (t) => {
    const controller = new AbortController();
    const options: InvokeOptions = {
      ...{ source: echo(t), event: { wait: true }, timeout: 60, signal: controller.signal },
      onEvent: (event) => {
        if (event.type === "function-log" && event.line.includes("a line")) controller.abort();
      },
    };
    await assert.rejects(invoke(options), { code: "ABORTED" });
  });

  it("ends with status 130 on SIGINT", async (t) => {
    const signals = new EventEmitter();
    const outcome = lambdaPack(["invoke", echo(t), "--event", '{"wait":true}', "--timeout", "60"], {
      ...{ environment: { PATH: process.env["PATH"] }, signals },
      aws: {
        invoke: (options) =>
          invoke({
            ...options,
            onEvent: (event) => {
              options.onEvent?.(event);
              if (event.type === "function-log" && event.line.includes("a line"))
                signals.emit("SIGINT", "SIGINT");
            },
          }),
      },
    });
    assert.equal((await outcome).status, 130);
  });

  it("hands a sample event to the function, and lists the samples", async (t) => {
    const app = echo(t);
    const { stdout } = await run(app, "--sample", "sqs");
    assert.equal(JSON.parse(stdout).event.Records[0].eventSource, "aws:sqs");
    const listed = await lambdaPack(["invoke", "--list-samples"]);
    assert.equal(listed.stdout.trimEnd().split("\n").length, SAMPLES.length);
    assert.equal((await run(app, "--sample", "sqs", "--event", "{}")).status, 2);
    assert.match((await run(app, "--sample", "kafka")).stderr, /there is no sample event "kafka"/);
  });

  it("refuses a word that is not a directory with the next step", async () => {
    const { status, stderr } = await run("no-such-app");
    assert.equal(status, 2);
    assert.match(stderr, /there is no directory no-such-app\n {2}fix: name a directory/);
  });

  it("refuses a path that does not exist with the next step", async () => {
    const { status, stderr } = await run("./no-such-app");
    assert.equal(status, 2);
    assert.match(stderr, /there is no directory \.\/no-such-app\n {2}fix: name a directory/);
  });

  it("refuses an unknown source with the next step", async () => {
    const { status, stderr } = await run("/not/there");
    assert.notEqual(status, 0);
    assert.match(stderr, /\/not\/there/);
  });
});

describe("the sample events", () => {
  it("the sample events are JSON, with names that differ", () => {
    assert.equal(new Set(SAMPLES.map(({ name }) => name)).size, SAMPLES.length);
    for (const { event } of SAMPLES) assert.deepEqual(JSON.parse(JSON.stringify(event)), event);
  });
});

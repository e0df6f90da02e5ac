import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { isDeepStrictEqual } from "node:util";
import {
  InvokeCommand,
  InvokeWithResponseStreamCommand,
  type InvokeWithResponseStreamCompleteEvent,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import { type DevOptions, type DevServer, dev } from "../../../src/index.ts";
import { findPython, requireModule } from "../../../src/runtime/host/interpreter.ts";
import { lambdaPack } from "../../support/cli/cli.ts";
import { lockedAs, npmRegistry, testPackage } from "../../support/http/npm-registry.ts";
import { appOf } from "../../support/local-function.ts";
import { until } from "../../support/time.ts";

const python = await findPython(process.env).catch(() => undefined);
const hasDebugpy =
  python !== undefined &&
  (await requireModule(python.path, "debugpy").then(
    () => true,
    () => false,
  ));

interface Dev extends DevServer {
  readonly directory: string;
  readonly events: readonly string[];
  lambda(): LambdaClient;
}

async function serve(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  options: Partial<DevOptions> = {},
): Promise<Dev> {
  const directory = appOf(t, files);
  const events: string[] = [];
  const server = await dev({
    ...{ directory, port: 0, functionName: "hello", timeout: 20, ...options },
    onEvent: (event) => {
      if (event.type === "function-log") events.push(event.line);
      else if (event.type === "warning") events.push(`warning: ${event.message}`);
      else events.push(event.type);
    },
  });
  t.after(() => server.stop());
  const lambda = () =>
    new LambdaClient({
      ...{ endpoint: server.url, region: "us-east-1", maxAttempts: 1 },
      credentials: { accessKeyId: "any", secretAccessKey: "any" },
    });
  return { ...server, directory, events, lambda };
}

const handler = (body: string) => `exports.handler = async (event, context) => { ${body} };`;

describe("dev as a function URL", () => {
  it("passes path, query, headers, cookies and body, and answers with status, headers, cookies and body", async (t) => {
    const source = handler(`return {
      statusCode: 201, headers: { "X-Kind": "made", "content-type": "text/plain" }, cookies: ["a=1; Secure", "b=2"],
      body: JSON.stringify(event) };`);
    const { url } = await serve(t, { "index.js": source });
    const response = await fetch(`${url}/orders/7%20a?color=red&color=blue&x=1%202`, {
      method: "POST",
      headers: { cookie: "session=abc; theme=dark", "content-type": "application/json", "x-twice": "1" },
      body: '{"n":1}',
    });
    assert.equal(response.status, 201);
    assert.equal(response.headers.get("x-kind"), "made");
    assert.deepEqual(response.headers.getSetCookie(), ["a=1; Secure", "b=2"]);
    const event = (await response.json()) as Record<string, unknown>;
    assert.equal(event["version"], "2.0");
    assert.equal(event["rawPath"], "/orders/7%20a");
    assert.equal(event["rawQueryString"], "color=red&color=blue&x=1%202");
    assert.deepEqual(event["queryStringParameters"], { color: "red,blue", x: "1 2" });
    assert.deepEqual(event["cookies"], ["session=abc", "theme=dark"]);
    assert.deepEqual([event["body"], event["isBase64Encoded"]], ['{"n":1}', false]);
    const { http } = event["requestContext"] as { http: Record<string, unknown> };
    assert.deepEqual(
      [http["method"], http["path"], http["sourceIp"]],
      ["POST", "/orders/7%20a", "127.0.0.1"],
    );
  });

  it("carries a binary body both ways as base64", async (t) => {
    const source = handler(
      `return { statusCode: 200, headers: { "content-type": "image/png" }, body: event.body, isBase64Encoded: event.isBase64Encoded };`,
    );
    const { url } = await serve(t, { "index.js": source });
    const bytes = Buffer.from([0, 255, 128, 10, 13, 200]);
    const response = await fetch(url, {
      method: "PUT",
      body: bytes,
      headers: { "content-type": "image/png" },
    });
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), bytes);
    assert.equal(response.headers.get("content-type"), "image/png");
  });

  it("answers 200 with the JSON of a result without statusCode, and the function's own 404", async (t) => {
    const source = handler(
      `return event.rawPath === "/none" ? { statusCode: 404, body: "no such page" } : { ok: true };`,
    );
    const { url } = await serve(t, { "index.js": source });
    const response = await fetch(`${url}/some`);
    assert.deepEqual(
      [response.status, response.headers.get("content-type"), await response.json()],
      [200, "application/json", { ok: true }],
    );
    const missing = await fetch(`${url}/none`);
    assert.deepEqual([missing.status, await missing.text()], [404, "no such page"]);
  });

  it("answers 502 if the function throws, and if its status is not valid", async (t) => {
    const source = handler(
      `if (event.rawPath === "/throw") throw new Error("secret"); return { statusCode: 42 };`,
    );
    const { url, events } = await serve(t, { "index.js": source });
    for (const path of ["/throw", "/status"]) {
      const response = await fetch(url + path);
      assert.deepEqual([response.status, await response.text()], [502, "Internal Server Error"]);
    }
    assert.match(events.join("\n"), /"errorMessage":"secret"/);
  });

  it("passes a streamed response on while the function still writes, with its prelude as the head", async (t) => {
    const source = `
      const { existsSync } = require("node:fs");
      exports.handler = awslambda.streamifyResponse(async (event, stream) => {
        stream = awslambda.HttpResponseStream.from(stream, { statusCode: 202, headers: { "x-a": "b" }, cookies: ["c=d"] });
        stream.write("first ");
        while (!existsSync(event.headers["x-file"])) await new Promise((done) => setTimeout(done, 10));
        stream.end("second");
      });`;
    const { url, directory } = await serve(t, { "index.js": source });
    const file = `${directory}.go`;
    t.after(() => rmSync(file, { force: true }));
    const response = await fetch(url, { headers: { "x-file": file } });
    assert.deepEqual(
      [response.status, response.headers.get("x-a"), response.headers.getSetCookie()],
      [202, "b", ["c=d"]],
    );
    const reader = response.body?.getReader();
    const first = await reader?.read();
    assert.equal(Buffer.from(first?.value ?? []).toString(), "first ");
    writeFileSync(file, "");
    const second = await reader?.read();
    assert.equal(Buffer.from(second?.value ?? []).toString(), "second");
  });

  it("lets the function go on after the caller of a stream has gone", async (t) => {
    const source = `
      exports.handler = awslambda.streamifyResponse(async (event, stream) => {
        for (let n = 0; n < 50; n++) { stream.write("x".repeat(100_000)); await new Promise((done) => setTimeout(done, 2)); }
        stream.end();
        console.log("all written");
      });`;
    const { url, events } = await serve(t, { "index.js": source });
    const controller = new AbortController();
    const response = await fetch(url, { signal: controller.signal });
    await response.body?.getReader().read();
    controller.abort();
    await until(() => events.some((line) => line.endsWith("all written")), "the function has ended");
    assert.equal((await fetch(url)).status, 200);
  });

  it("answers 404 to a name that is not a text in percent-encoding", async (t) => {
    const { url } = await serve(t, { "index.js": handler("return 1") });
    assert.equal((await fetch(`${url}/lambda-url/%zz/a`)).status, 404);
    const invoked = await fetch(`${url}/2015-03-31/functions/%zz/invocations`, { method: "POST" });
    assert.equal(invoked.status, 404);
  });

  it("refuses a body of more than 6 MB", async (t) => {
    const { url } = await serve(t, { "index.js": handler("return 1;") });
    assert.equal((await fetch(url, { method: "POST", body: Buffer.alloc(6 * 1024 * 1024 + 1) })).status, 413);
  });

  it("answers as many requests at the same time as come, each with a process of its own", async (t) => {
    const source = `
      let busy = false;
      exports.handler = async () => {
        if (busy) throw new Error("two events at once");
        busy = true; await new Promise((done) => setTimeout(done, 50)); busy = false;
        return process.pid;
      };`;
    const { url } = await serve(t, { "index.js": source });
    const pids = await Promise.all(Array.from({ length: 14 }, async () => (await fetch(url)).json()));
    assert.ok(new Set(pids).size > 1 && new Set(pids).size <= 10, `${pids}`);
  });

  it("breaks off a streamed response at the timeout, and answers the next request", async (t) => {
    const source = `exports.handler = awslambda.streamifyResponse(async (event, stream) => {
      stream.write("first");
      if (event.rawPath === "/slow") await new Promise((done) => setTimeout(done, 60_000));
      stream.end();
    });`;
    const { url, events } = await serve(t, { "index.js": source }, { timeout: 1 });
    const response = await fetch(`${url}/slow`);
    await assert.rejects(response.text());
    assert.equal(await (await fetch(url)).text(), "first");
    assert.ok(events.some((line) => line.includes("Task timed out after 1.00 seconds")));
  });

  it("answers one request while another one ends its process", async (t) => {
    const source = handler(`if (event.rawPath === "/end") process.exit(1);
      await new Promise((done) => setTimeout(done, 300)); return 7;`);
    const { url } = await serve(t, { "index.js": source });
    const statuses = await Promise.all(
      ["/", "/end", "/", "/end"].map(async (path) => (await fetch(url + path)).status),
    );
    assert.deepEqual(statuses, [200, 502, 200, 502]);
  });

  it("goes on after a function that ends its process", async (t) => {
    const { url } = await serve(t, {
      "index.js": handler(`if (event.rawPath === "/end") process.exit(1); return 1;`),
    });
    assert.equal((await fetch(`${url}/end`)).status, 502);
    assert.equal((await fetch(url)).status, 200);
  });
});

describe("dev as Lambda's Invoke action", () => {
  it("answers the AWS SDK's InvokeCommand with result, version and log", async (t) => {
    const { lambda } = await serve(t, {
      "index.js": handler(`console.log("a line"); return { event, client: context.clientContext };`),
    });
    const answer = await lambda().send(
      new InvokeCommand({
        ...{ FunctionName: "hello", Payload: Buffer.from('{"n":1}'), LogType: "Tail" },
        Qualifier: "prod",
        ClientContext: Buffer.from('{\n  "custom": {"a":1, "name": "Åda 日本"}\n}').toString("base64"),
      }),
    );
    assert.deepEqual(
      [answer.StatusCode, answer.ExecutedVersion, answer.FunctionError],
      [200, "$LATEST", undefined],
    );
    assert.deepEqual(JSON.parse(Buffer.from(answer.Payload ?? []).toString()), {
      ...{ event: { n: 1 }, client: { custom: { a: 1, name: "Åda 日本" } } },
    });
    assert.match(
      Buffer.from(answer.LogResult ?? "", "base64").toString(),
      /START .*\n.*\ta line\nEND .*\nREPORT /,
    );
  });

  it("tells the AWS SDK of a function error, and of a function that is not there", async (t) => {
    const { lambda } = await serve(t, { "index.js": handler(`throw new TypeError("no");`) });
    const answer = await lambda().send(
      new InvokeCommand({ FunctionName: "arn:aws:lambda:us-east-1:123456789012:function:hello:live" }),
    );
    assert.equal(answer.FunctionError, "Unhandled");
    assert.equal(JSON.parse(Buffer.from(answer.Payload ?? []).toString()).errorType, "TypeError");
    await assert.rejects(lambda().send(new InvokeCommand({ FunctionName: "other" })), {
      name: "ResourceNotFoundException",
    });
  });

  it("accepts an event that nobody waits for, and a dry run that calls nothing", async (t) => {
    const { lambda, events } = await serve(t, {
      "index.js": handler(`console.log("called with " + event.n);`),
    });
    const send = (InvocationType: "Event" | "DryRun", n: number) =>
      lambda().send(
        new InvokeCommand({
          FunctionName: "hello",
          InvocationType,
          Payload: Buffer.from(JSON.stringify({ n })),
        }),
      );
    assert.equal((await send("DryRun", 1)).StatusCode, 204);
    assert.equal((await send("Event", 2)).StatusCode, 202);
    await until(() => events.some((line) => line.endsWith("called with 2")), "the event is handled");
    assert.equal(
      events.some((line) => line.endsWith("called with 1")),
      false,
    );
  });

  it("refuses 7 MB of a function that streams to a caller who takes the response whole", async (t) => {
    const source = `exports.handler = awslambda.streamifyResponse(async (event, stream) => {
      for (let written = 0; written < event.megabytes; written++) stream.write(Buffer.alloc(1024 * 1024));
      stream.end();
    });`;
    const { lambda } = await serve(t, { "index.js": source });
    const invokeWith = (megabytes: number) => {
      const Payload = Buffer.from(JSON.stringify({ megabytes }));
      return lambda().send(new InvokeCommand({ FunctionName: "hello", Payload }));
    };
    const { FunctionError, Payload } = await invokeWith(7);
    assert.equal(FunctionError, "Unhandled");
    assert.match(Buffer.from(Payload ?? []).toString(), /"Function.ResponseSizeTooLarge"/);
    assert.equal((await invokeWith(6)).Payload?.length, 6 * 1024 * 1024);
  });

  it("streams to the AWS SDK's InvokeWithResponseStreamCommand, and tells of an error at the end", async (t) => {
    const source = `exports.handler = awslambda.streamifyResponse(async (event, stream) => {
      stream.write("first "); await new Promise((done) => setTimeout(done, 20)); stream.write("second");
      if (event.fail) throw new RangeError("late");
      stream.end();
    });`;
    const { lambda } = await serve(t, { "index.js": source });
    const read = async (event: object) => {
      const Payload = Buffer.from(JSON.stringify(event));
      const command = new InvokeWithResponseStreamCommand({
        FunctionName: "hello",
        Payload,
        LogType: "Tail",
      });
      const { EventStream = [] } = await lambda().send(command);
      const chunks: Uint8Array[] = [];
      let complete: InvokeWithResponseStreamCompleteEvent | undefined;
      for await (const part of EventStream) {
        if (part.PayloadChunk?.Payload) chunks.push(part.PayloadChunk.Payload);
        complete ??= part.InvokeComplete;
      }
      return { text: Buffer.concat(chunks).toString(), complete };
    };
    const { text, complete } = await read({});
    assert.deepEqual([text, complete?.ErrorCode], ["first second", undefined]);
    assert.match(Buffer.from(complete?.LogResult ?? "", "base64").toString(), /REPORT RequestId/);
    const failed = await read({ fail: true });
    assert.equal(failed.text, "first second");
    assert.equal(JSON.parse(failed.complete?.ErrorDetails ?? "").errorType, "RangeError");
  });

  it("refuses an event that is not JSON, or larger than Lambda takes", async (t) => {
    const { lambda } = await serve(t, { "index.js": handler("return 1;") });
    const send = (Payload: Buffer, InvocationType: "Event" | "RequestResponse") =>
      lambda().send(new InvokeCommand({ FunctionName: "hello", Payload, InvocationType }));
    await assert.rejects(send(Buffer.from("{n}"), "RequestResponse"), {
      name: "InvalidRequestContentException",
    });
    await assert.rejects(send(Buffer.alloc(1024 * 1024 + 1, "1"), "Event"), {
      name: "RequestTooLargeException",
    });
  });
});

describe("dev of a configuration file", () => {
  const CONFIG = `{
    // the defaults of both
    "defaults": { "arch": "arm64", "env": { "STAGE": "dev" }, "memory": 256 },
    "functions": {
      "api": { "directory": "api", "env": { "NAME": "one" } },
      "worker": { "directory": "worker", "handler": "work.run" },
    },
  }`;
  const tell =
    "({ path: event.rawPath, memory: context.memoryLimitInMB, name: context.functionName, stage: process.env.STAGE })";
  const files = {
    "lambda-pack.jsonc": CONFIG,
    "api/package.json": "{}",
    "api/index.js": handler(`return ${tell};`),
    "worker/package.json": "{}",
    "worker/work.js": `exports.run = async (event, context) => ${tell};`,
  };

  it("serves each of its functions by name, with the settings of the file", async (t) => {
    const directory = appOf(t, files);
    const server = await dev({ config: join(directory, "lambda-pack.jsonc"), port: 0 });
    t.after(() => server.stop());
    assert.deepEqual(server.functionNames, ["api", "worker"]);
    const get = async (path: string) => (await (await fetch(server.url + path)).json()) as unknown;
    const settings = { memory: "256", stage: "dev" };
    assert.deepEqual(await get("/lambda-url/api/a/b?c=d"), { path: "/a/b", name: "api", ...settings });
    assert.deepEqual(await get("/lambda-url/worker"), { path: "/", name: "worker", ...settings });
    const invoked = await fetch(`${server.url}/2015-03-31/functions/worker/invocations`, { method: "POST" });
    assert.deepEqual(await invoked.json(), { name: "worker", ...settings });
    const nowhere = await fetch(server.url);
    assert.deepEqual([nowhere.status, /\/lambda-url\/api\n/.test(await nowhere.text())], [404, true]);
  });

  it("serves only the functions that are named", async (t) => {
    const config = join(appOf(t, files), "lambda-pack.jsonc");
    const server = await dev({ config, functions: ["worker"], port: 0 });
    t.after(() => server.stop());
    assert.deepEqual(server.functionNames, ["worker"]);
    await assert.rejects(dev({ config, functions: ["wirker"], port: 0 }), { hint: /did you mean worker/ });
  });

  it("bundles a function whose settings say so", async (t) => {
    const directory = appOf(t, {
      "lambda-pack.jsonc": '{ "functions": { "api": { "bundle": true } } }',
      "index.ts": "export const handler = async (): Promise<number> => 7;",
    });
    const server = await dev({ config: join(directory, "lambda-pack.jsonc"), port: 0 });
    t.after(() => server.stop());
    assert.equal(await (await fetch(`${server.url}/lambda-url/api`)).json(), 7);
  });

  it("refuses a function that a Dockerfile builds", async (t) => {
    const directory = appOf(t, {
      "lambda-pack.jsonc": '{ "functions": { "api": { "file": "Dockerfile" } } }',
      Dockerfile: "FROM scratch\n",
    });
    await assert.rejects(dev({ config: join(directory, "lambda-pack.jsonc"), port: 0 }), {
      ...{ code: "USAGE", hint: /lambda-pack invoke api/ },
    });
  });

  it("leaves no process if one of the functions cannot be found", async (t) => {
    const directory = appOf(t, { ...files, "worker/work.js": "" });
    const options = { config: join(directory, "lambda-pack.jsonc"), port: 0 };
    await assert.rejects(dev(options), { code: "HANDLER_NOT_FOUND" });
    await assert.rejects(dev({ ...options, directory }), { code: "USAGE" });
    await assert.rejects(dev({ ...options, inspect: true }), { code: "USAGE", message: /one function/ });
  });
});

describe("dev when files change", () => {
  const version = async ({ url }: Dev) => (await (await fetch(url)).json()) as unknown;

  it("answers with the changed code, also where an editor saves by renaming", async (t) => {
    const server = await serve(t, {
      "index.js": handler("return 1;"),
      "lib/value.js": "module.exports = 1;",
    });
    assert.equal(await version(server), 1);
    writeFileSync(join(server.directory, "index.js"), handler(`return require("./lib/value.js");`));
    writeFileSync(join(server.directory, "lib/value.js"), "module.exports = 2;");
    await until(async () => (await version(server)) === 2, "the second version answers");
    writeFileSync(join(server.directory, "lib/value.js.new"), "module.exports = 3;");
    renameSync(join(server.directory, "lib/value.js.new"), join(server.directory, "lib/value.js"));
    await until(async () => (await version(server)) === 3, "the third version answers");
  });

  it("sees files of a directory that is new", async (t) => {
    const server = await serve(t, {
      "index.js": handler(`try { return require("./new/value.js"); } catch { return 0; }`),
    });
    mkdirSync(join(server.directory, "new"));
    writeFileSync(join(server.directory, "new/value.js"), "module.exports = 1;");
    await until(async () => (await version(server)) === 1, "the first version answers");
    writeFileSync(join(server.directory, "new/value.js"), "module.exports = 2;");
    await until(async () => (await version(server)) === 2, "the second version answers");
  });

  it("keeps the last version that starts while the code has an error, and takes the next that starts", async (t) => {
    const server = await serve(t, { "index.js": handler("return 1;") });
    const file = join(server.directory, "index.js");
    writeFileSync(file, "exports.handler = (");
    await until(
      () => server.events.some((line) => line.startsWith("warning: the changed function cannot")),
      "a warning",
    );
    assert.equal(await version(server), 1);
    rmSync(file);
    await until(
      () => server.events.some((line) => /needs a file|no handler found/.test(line)),
      "a second warning",
    );
    assert.equal(await version(server), 1);
    writeFileSync(file, handler("return 2;"));
    await until(async () => (await version(server)) === 2, "the second version answers");
  });

  it("answers with the changed code of a function in Python", { skip: !python }, async (t) => {
    const source = (value: number) => `def handler(event, context):\n    return ${value}\n`;
    const server = await serve(t, { "app.py": source(1) });
    assert.equal(await version(server), 1);
    writeFileSync(join(server.directory, "app.py"), source(2));
    await until(async () => (await version(server)) === 2, "the second version answers");
  });

  it("bundles TypeScript again, also where only an imported file outside of the directory changes", async (t) => {
    const above = appOf(t, {
      "app/package.json": "{}",
      "app/index.ts": 'import { one } from "../shared/one.ts";\nexport const handler = async () => one;',
      "shared/one.ts": "export const one: number = 1;",
    });
    const cacheDir = join(above, "cache");
    const server = await serve(t, {}, { directory: join(above, "app"), bundle: true, cacheDir });
    assert.equal(await version(server), 1);
    const save = (text: string) => writeFileSync(join(above, "shared/one.ts"), text);
    save("export const one: number = ;");
    await until(() => server.events.some((line) => /one\.ts:1:\d+: /.test(line)), "the mistake is told");
    assert.equal(await version(server), 1);
    save("export const one: number = 2;");
    await until(async () => (await version(server)) === 2, "the bundle is new");
    const bundles = () =>
      readdirSync(cacheDir, { recursive: true }).filter((path) => String(path).endsWith("bundle/index.js"));
    await until(() => bundles().length === 1, "the first bundle is removed");
  });

  it("installs what the lock file names once, and copies what changes", {
    skip: process.platform !== "linux" && "packages are installed for Linux",
  }, async (t) => {
    const seven = await testPackage("seven", "1.0.0", { "index.js": "module.exports = 7;" });
    const registry = await npmRegistry(t, [seven]);
    const lock = { "": { dependencies: { seven: "^1" } }, "node_modules/seven": lockedAs(seven) };
    const source = (text: string) => handler(`return [require("seven"), ${text}]`);
    const files = {
      "index.js": source("1"),
      "package.json": JSON.stringify({ dependencies: { seven: "^1" } }),
      "package-lock.json": JSON.stringify({ lockfileVersion: 3, packages: lock }),
      ".npmrc": `registry=${registry.url}\n`,
    };
    const server = await serve(t, files, { install: true, cache: false });
    assert.deepEqual(await version(server), [7, 1]);
    registry.requests.length = 0;
    writeFileSync(join(server.directory, "index.js"), source("2"));
    await until(async () => isDeepStrictEqual(await version(server), [7, 2]), "the new code answers");
    assert.deepEqual(registry.requests, []);
  });

  it("starts with code that has an error, and answers once it is corrected", async (t) => {
    const server = await serve(t, {
      "index.js": "exports.handler = async () => 1; throw new Error('early');",
    });
    assert.equal((await fetch(server.url)).status, 502);
    writeFileSync(join(server.directory, "index.js"), handler("return 2;"));
    await until(
      async () => (await (await fetch(server.url)).text()) === "2",
      "the corrected version answers",
    );
  });

  it("lets an event that is being handled end with the version that has it", async (t) => {
    const server = await serve(t, {
      "index.js": handler(
        `if (event.rawPath !== "/slow") return 1; console.log("begun"); await new Promise((done) => setTimeout(done, 1500)); return 1;`,
      ),
    });
    const slow = fetch(`${server.url}/slow`);
    await until(() => server.events.some((line) => line.endsWith("begun")), "the event is being handled");
    writeFileSync(join(server.directory, "index.js"), handler("return 2;"));
    await until(async () => (await version(server)) === 2, "the second version answers");
    assert.equal(await (await slow).json(), 1);
  });
});

describe("the end of dev", () => {
  it("stops on SIGINT with status 130, and leaves no process", async (t) => {
    const directory = appOf(t, { "index.js": handler("return process.pid;") });
    const signals = new EventEmitter();
    const listening = new EventEmitter();
    const outcome = lambdaPack(["dev", directory, "--port", "0"], {
      ...{ environment: { PATH: process.env["PATH"] }, signals },
      aws: {
        dev: async (options) => {
          const server = await dev(options);
          listening.emit("url", server.url);
          return server;
        },
      },
    });
    const [url] = (await once(listening, "url")) as [string];
    const pid = (await (await fetch(url)).json()) as number;
    signals.emit("SIGINT", "SIGINT");
    const { status, stdout, stderr } = await outcome;
    assert.deepEqual([status, stdout], [130, `${url}\n`]);
    assert.match(stderr, new RegExp(`listen ${url} `));
    assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  });

  it("the end of dev is refused if the port is taken, and leaves no process", async (t) => {
    const server = await serve(t, { "index.js": handler("return 1;") });
    const port = Number(new URL(server.url).port);
    await assert.rejects(dev({ directory: server.directory, port }), { code: "RUNTIME_FAILED" });
  });
});

describe("dev with a debugger", () => {
  it("lets Node's inspector listen, and stops nothing for being late", async (t) => {
    const source = handler(
      `await new Promise((done) => setTimeout(done, 1500)); return context.getRemainingTimeInMillis() > 60_000;`,
    );
    const { url, events } = await serve(
      t,
      { "index.js": source },
      { inspect: true, debugPort: 0, timeout: 1 },
    );
    await until(
      () => events.some((line) => line.startsWith("Debugger listening on ws://127.0.0.1:")),
      "the inspector listens",
    );
    const line = events.find((one) => one.startsWith("Debugger listening on ws://")) ?? "";
    const { host } = new URL(line.replace("Debugger listening on ", ""));
    const [response] = (await once(request(`http://${host}/json/version`).end(), "response")) as [
      { statusCode: number },
    ];
    assert.equal(response.statusCode, 200);
    assert.equal(await (await fetch(url)).json(), true);
  });

  for (const [flag, file, source] of [
    ["inspect", "app.py", "def handler(event, context):\n    return 1\n"],
    ["debugpy", "index.js", handler("return 1")],
  ] as const)
    it(`dev refuses --${flag} for a function of another language, with ${file}`, async (t) => {
      const options = { directory: appOf(t, { [file]: source }), port: 0, [flag]: true };
      await assert.rejects(dev(options), {
        code: "USAGE",
        message: new RegExp(`--${flag} has no effect on a function in`),
      });
    });

  it("says how to install debugpy if the Python has none", { skip: !python || hasDebugpy }, async (t) => {
    const directory = appOf(t, { "app.py": "def handler(event, context):\n    return 1\n" });
    const options = { directory, port: 0, debugpy: true };
    await assert.rejects(dev(options), { code: "RUNTIME_MISSING", hint: /-m pip install debugpy$/ });
  });

  it("refuses flags of debuggers that do not go together", async () => {
    const { status } = await lambdaPack(["dev", ".", "--inspect", "--debugpy"], { aws: { dev } });
    assert.equal(status, 2);
    assert.equal((await lambdaPack(["dev", ".", "--debug-port", "1"], { aws: { dev } })).status, 2);
  });
});

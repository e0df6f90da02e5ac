import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { describe, it, type TestContext } from "node:test";
import { type RuntimeApi, startRuntimeApi } from "../../../src/runtime/api/server.ts";
import { until } from "../../support/time.ts";

const INVOCATION = {
  ...{ requestId: "r-1", payload: Buffer.from('{"a":1}'), deadlineMs: 1_900_000_000_000 },
  ...{ functionArn: "arn:aws:lambda:us-east-1:123456789012:function:f", traceId: "Root=1" },
};

interface Server {
  readonly api: RuntimeApi;
  send(method: string, path: string, body?: string, headers?: Record<string, string>): Promise<Response>;
}

async function serve(t: TestContext, extensions: readonly string[] = []): Promise<Server> {
  const about = { functionName: "f", functionVersion: "$LATEST", handler: "a.b" };
  const api = await startRuntimeApi({ ...about, extensions });
  t.after(() => api.close());
  return {
    api,
    send: (method, path, body, headers = {}) =>
      fetch(`http://${api.address}${path}`, { method, headers, ...(body !== undefined && { body }) }),
  };
}

/** Returns the identifier of the new extension. */
async function register(send: Server["send"], body: string): Promise<string> {
  const name = { "lambda-extension-name": "watcher" };
  const { headers } = await send("POST", "/2020-01-01/extension/register", body, name);
  return headers.get("lambda-extension-identifier") ?? "";
}

async function errorOf(response: Response): Promise<readonly [number, unknown]> {
  const { errorType } = (await response.json()) as { readonly errorType: unknown };
  return [response.status, errorType];
}

const NEXT = "/2018-06-01/runtime/invocation/next";

describe("the Runtime API on this machine", () => {
  it("hands out an event with its headers and takes its response", async (t) => {
    const { api, send } = await serve(t);
    const outcome = api.invocations.invoke({
      ...INVOCATION,
      clientContext: "{}",
      cognitoIdentity: '{"cognitoIdentityId":"i"}',
    });
    const next = await send("GET", NEXT);
    assert.deepEqual(
      [
        "content-type",
        "deadline-ms",
        "invoked-function-arn",
        "trace-id",
        "client-context",
        "cognito-identity",
      ].map((name) => next.headers.get(name === "content-type" ? name : `lambda-runtime-${name}`)),
      [
        "application/json",
        "1900000000000",
        INVOCATION.functionArn,
        "Root=1",
        "{}",
        '{"cognitoIdentityId":"i"}',
      ],
    );
    assert.equal(await next.text(), '{"a":1}');
    const answer = await send("POST", "/2018-06-01/runtime/invocation/r-1/response", "true");
    assert.deepEqual([answer.status, await answer.json()], [202, { status: "OK" }]);
    const { kind, body } = await outcome;
    assert.deepEqual([kind, body.toString()], ["result", "true"]);
  });

  it("leaves out the headers of what an event does not have", async (t) => {
    const { api, send } = await serve(t);
    void api.invocations.invoke(INVOCATION);
    const { headers } = await send("GET", NEXT);
    assert.equal(headers.has("lambda-runtime-client-context"), false);
    assert.equal(headers.has("lambda-runtime-cognito-identity"), false);
  });

  it("refuses a response to another request, or to one that is answered", async (t) => {
    const { api, send } = await serve(t);
    void api.invocations.invoke(INVOCATION);
    await send("GET", NEXT);
    const path = (id: string) => `/2018-06-01/runtime/invocation/${id}/response`;
    assert.deepEqual(await errorOf(await send("POST", path("r-2"), "1")), [400, "InvalidRequestID"]);
    assert.equal((await send("POST", path("r-1"), "1")).status, 202);
    assert.deepEqual(await errorOf(await send("POST", path("r-1"), "1")), [400, "InvalidRequestID"]);
  });

  it("refuses an unknown response mode and an unknown path", async (t) => {
    const { api, send } = await serve(t);
    void api.invocations.invoke(INVOCATION);
    await send("GET", NEXT);
    const headers = { "lambda-runtime-function-response-mode": "later" };
    const answer = await send("POST", "/2018-06-01/runtime/invocation/r-1/response", "1", headers);
    assert.deepEqual(await errorOf(answer), [400, "InvalidFunctionResponseMode"]);
    assert.deepEqual(await errorOf(await send("GET", "/2018-06-01/other")), [404, "NotFound"]);
  });

  it("takes the error type from the body, else from the header", async (t) => {
    const { api, send } = await serve(t);
    const type = async (body: string, headers: Record<string, string>) => {
      const outcome = api.invocations.invoke(INVOCATION);
      await send("GET", NEXT);
      await send("POST", "/2018-06-01/runtime/invocation/r-1/error", body, headers);
      const ended = await outcome;
      return ended.kind === "error" ? ended.errorType : ended.kind;
    };
    const header = { "lambda-runtime-function-error-type": "Function.Broken" };
    assert.equal(await type('{"errorType":"TypeError"}', header), "TypeError");
    assert.equal(await type("not JSON", header), "Function.Broken");
    assert.equal(await type("", {}), "Runtime.Unknown");
  });

  it("registers an extension, tells it of each invocation and of the end", async (t) => {
    const { api, send } = await serve(t);
    const registered = await send(
      "POST",
      "/2020-01-01/extension/register",
      '{"events":["INVOKE","SHUTDOWN"]}',
      {
        "lambda-extension-name": "watcher",
      },
    );
    assert.deepEqual(await registered.json(), {
      functionName: "f",
      functionVersion: "$LATEST",
      handler: "a.b",
    });
    const id = registered.headers.get("lambda-extension-identifier") ?? "";
    const next = () =>
      send("GET", "/2020-01-01/extension/event/next", undefined, { "lambda-extension-identifier": id });
    const waiting = next();
    void api.invocations.invoke(INVOCATION);
    await send("GET", NEXT);
    assert.deepEqual(await (await waiting).json(), {
      ...{ eventType: "INVOKE", requestId: "r-1", deadlineMs: INVOCATION.deadlineMs },
      ...{
        invokedFunctionArn: INVOCATION.functionArn,
        tracing: { type: "X-Amzn-Trace-Id", value: "Root=1" },
      },
    });
    const shutdown = api.extensions.shutdown("spindown", 5);
    assert.deepEqual(await (await next()).json(), {
      ...{ eventType: "SHUTDOWN", shutdownReason: "spindown", deadlineMs: 5 },
    });
    void next().catch(() => undefined);
    await shutdown;
  });

  it("the Runtime API on this machine is ready again when the runtime and each extension that hears of events ask for the next one", async (t) => {
    const { api, send } = await serve(t);
    const headers = { "lambda-extension-identifier": await register(send, '{"events":["INVOKE"]}') };
    const nextEvent = () => send("GET", "/2020-01-01/extension/event/next", undefined, headers);
    const events = nextEvent();
    const outcome = api.invocations.invoke(INVOCATION);
    await send("GET", NEXT);
    await send("POST", "/2018-06-01/runtime/invocation/r-1/response", "1");
    await outcome;
    let isReady = false;
    const ready = api.ready().then(() => {
      isReady = true;
    });
    void send("GET", NEXT).catch(() => undefined);
    await events;
    await send("GET", "/2018-06-01/ping");
    assert.equal(isReady, false);
    void nextEvent().catch(() => undefined);
    await ready;
  });

  for (const [path, errorType] of [
    ["init/error", "Extension.InitError"],
    ["exit/error", "Extension.ExitError"],
  ] as const) {
    it(`ends with ${errorType} if an extension posts to ${path}`, async (t) => {
      const { api, send } = await serve(t);
      const identifier = await register(send, "{}");
      const headers = { "lambda-extension-identifier": identifier };
      const place = `/2020-01-01/extension/${path}`;
      assert.deepEqual(await errorOf(await send("POST", place, "{}", headers)), [
        ...[403, "Extension.MissingHeader"],
      ]);
      const reason = { "lambda-extension-function-error-type": "Extension.NoConfig" };
      assert.equal((await send("POST", place, "{}", { ...headers, ...reason })).status, 202);
      assert.equal((await api.invocations.gone).errorType, errorType);
      assert.equal((await api.invocations.invoke(INVOCATION)).kind, "error");
    });
  }

  it("ends with Extension.Crash if an extension ends before it is told to", async (t) => {
    const { api } = await serve(t, ["watcher"]);
    api.extensions.ended("watcher", "exit status 1");
    const init = await api.init;
    assert.equal(init.kind === "error" && init.errorType, "Extension.Crash");
  });

  it("refuses an extension that is not registered, has no name or wants an unknown event", async (t) => {
    const { send } = await serve(t);
    const place = "/2020-01-01/extension/register";
    const name = { "lambda-extension-name": "x" };
    assert.deepEqual(await errorOf(await send("GET", "/2020-01-01/extension/event/next")), [
      ...[403, "Extension.MissingExtensionIdentifier"],
    ]);
    assert.deepEqual(await errorOf(await send("POST", place, "{}")), [403, "Extension.InvalidExtensionName"]);
    assert.deepEqual(await errorOf(await send("POST", place, '{"events":["BOOT"]}', name)), [
      ...[403, "Extension.InvalidEventType"],
    ]);
  });

  it("accepts a subscription to telemetry and to logs", async (t) => {
    const { send } = await serve(t);
    for (const path of ["/2022-07-01/telemetry", "/2020-08-15/logs"]) {
      assert.equal((await send("PUT", path, "{}")).status, 200);
    }
  });

  describe("with a subscription to telemetry", () => {
    const SUBSCRIPTION = { schemaVersion: "2022-12-13", types: ["platform", "function"] };

    /** Subscribes a server of the test, and returns the batches that it has received. */
    async function subscribe(t: TestContext, { send }: Server, buffering: object = {}) {
      const batches: { type: string; record: unknown }[][] = [];
      const server = createServer(async (request, response) => {
        batches.push((await json(request)) as []);
        response.end();
      });
      await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
      t.after(() => server.close());
      const { port } = server.address() as AddressInfo;
      const destination = { protocol: "HTTP", URI: `http://sandbox.localdomain:${port}/events` };
      const body = JSON.stringify({ ...SUBSCRIPTION, buffering, destination });
      const { status } = await send("PUT", "/2022-07-01/telemetry", body);
      assert.equal(status, 200);
      return batches;
    }

    it("sends what happened before it, and the events of its types only", async (t) => {
      const server = await serve(t);
      server.api.telemetry.add("platform.initStart", { phase: "init" });
      const batches = await subscribe(t, server);
      server.api.telemetry.add("extension", "a line of the extension");
      server.api.telemetry.add("function", "a line of the function");
      await server.api.telemetry.flush();
      assert.deepEqual(
        batches.map((batch) => batch.map(({ type, record }) => [type, record])),
        [
          [
            ["platform.initStart", { phase: "init" }],
            ["function", "a line of the function"],
          ],
        ],
      );
    });

    it("sends a batch at maxItems, and the rest when the environment ends", async (t) => {
      const server = await serve(t);
      const batches = await subscribe(t, server, { maxItems: 1000, timeoutMs: 30_000 });
      for (let line = 0; line < 1001; line++) server.api.telemetry.add("function", `line ${line}`);
      await server.api.telemetry.flush();
      assert.deepEqual(
        batches.map(({ length }) => length),
        [1000, 1],
      );
    });

    it("sends no batch of more than maxBytes", async (t) => {
      const server = await serve(t);
      const batches = await subscribe(t, server, { maxBytes: 262_144, timeoutMs: 30_000 });
      for (let line = 0; line < 3; line++) server.api.telemetry.add("function", "x".repeat(100_000));
      await server.api.telemetry.flush();
      assert.deepEqual(
        batches.map(({ length }) => length),
        [2, 1],
      );
    });

    it("sends a batch after timeoutMs", async (t) => {
      const server = await serve(t);
      const batches = await subscribe(t, server, { timeoutMs: 25 });
      server.api.telemetry.add("function", "a line");
      await until(() => batches.length > 0, "a batch has arrived");
    });

    for (const [what, change] of [
      ["a buffer of more than 10,000 events", { buffering: { maxItems: 10_001 } }],
      ["no address", { destination: { protocol: "HTTP" } }],
    ] as const) {
      it(`refuses a subscription with ${what}`, async (t) => {
        const { send } = await serve(t);
        const destination = { protocol: "HTTP", URI: "http://sandbox.localdomain:1" };
        const body = JSON.stringify({ ...SUBSCRIPTION, destination, ...change });
        assert.deepEqual(await errorOf(await send("PUT", "/2022-07-01/telemetry", body)), [
          ...[400, "ValidationError"],
        ]);
      });
    }
  });
});

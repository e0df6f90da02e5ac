import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { request as forward } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, it, type TestContext } from "node:test";
import { push } from "../../../src/commands/push/push.ts";
import { LambdaPackError } from "../../../src/errors.ts";
import type { Content } from "../../../src/oci/content.ts";
import { openRepository, type Repository } from "../../../src/registry/repository.ts";
import { CertificateAuthority } from "../../support/http/certificates.ts";
import { ConnectProxy, type ProxyFault } from "../../support/http/proxy.ts";
import { NOBODY_LISTENS, serve, serveTls } from "../../support/http/serve.ts";
import type { Answer } from "../../support/registry/answer.ts";
import type { Fault } from "../../support/registry/fault.ts";
import { answer } from "../../support/registry/fault-cases.ts";
import { TestRegistry, type TestRegistryOptions } from "../../support/registry/registry.ts";
import {
  basicCredentials,
  bytesOf,
  imageOf,
  layerOf,
  openedWith,
  pushTo,
  testPacing,
} from "../../support/registry/repository.ts";
import type { RequestKind } from "../../support/registry/request.ts";

const started: TestRegistry[] = [];
afterEach(async () => {
  for (const registry of started.splice(0)) await registry.stop();
});

async function start(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const registry = await TestRegistry.start(options);
  started.push(registry);
  return registry;
}

/** Answers the first requests of a kind with these faults, one after the other. */
function inTurn(registry: TestRegistry, kind: RequestKind, ...faults: readonly (Fault | undefined)[]): void {
  const left = [...faults];
  registry.fault = (request) => (request.kind === kind ? left.shift() : undefined);
}

const missing = (digest: string): Fault => ({
  kind: "answer",
  status: 400,
  body: JSON.stringify({
    errors: [{ code: "MANIFEST_BLOB_UNKNOWN", message: "blob unknown", detail: { digest } }],
  }),
});

describe("two faults on one request", () => {
  it("a manifest that is answered 500 and then MANIFEST_BLOB_UNKNOWN keeps the error's code and blobs", async () => {
    const registry = await start();
    const image = imageOf(layerOf(1000));
    const [layer] = image.layers;
    const { repository } = openedWith(registry, {});
    inTurn(registry, "put manifest", answer(500), missing(layer?.descriptor.digest ?? ""));
    await assert.rejects(pushTo(repository, image, "v1"), (error) => {
      assert.ok(error instanceof LambdaPackError);
      assert.equal(error.code, "BLOBS_MISSING");
      assert.deepEqual(error.answer?.missing, [layer?.descriptor.digest]);
      return error.attempts === 2;
    });
    await repository.close();
  });

  const faults: Readonly<Record<string, Fault>> = {
    "500": answer(500),
    "503": answer(503, "UNAVAILABLE"),
    "520 of a CDN": answer(520),
    "429": answer(429, "TOOMANYREQUESTS"),
    "a closed connection": { kind: "drop" },
  };
  for (const [first, fault] of Object.entries(faults)) {
    for (const [second, other] of Object.entries(faults)) {
      it(`a push survives ${first} and then ${second} at the closing PUT and at the manifest`, async () => {
        const registry = await start();
        const image = imageOf(layerOf(50_000));
        const { repository } = openedWith(registry, {});
        const left = { "put upload": [fault, other], "put manifest": [fault, other] };
        registry.fault = ({ kind }) =>
          kind === "put upload" || kind === "put manifest" ? left[kind].shift() : undefined;
        await pushTo(repository, image, "v1");
        assert.equal(registry.tag("app", "v1"), image.manifest.descriptor.digest);
        await repository.close();
      });
    }
  }

  it("a closing PUT that is answered 502 and then finds the session gone sends the blob again", async () => {
    const registry = await start();
    const layer = layerOf(50_000);
    const { repository } = openedWith(registry, {});
    inTurn(registry, "put upload", answer(502), answer(404, "BLOB_UPLOAD_UNKNOWN"));
    await repository.put(layer);
    assert.equal(registry.blob("app", layer.descriptor.digest)?.length, 50_000);
    await repository.close();
  });

  for (const [what, change] of Object.entries({
    "of another length": () => ({
      status: 200,
      headers: { "content-length": "5" },
      body: Buffer.from("short"),
    }),
    "with other bytes": (honest: Answer) => ({
      ...honest,
      body: Buffer.from(honest.body ?? "").fill(7, 0, 10),
    }),
  })) {
    it(`a blob that always comes ${what} is asked for three times, not nine`, async (t) => {
      const registry = await start();
      const layer = layerOf(5 * 1024 * 1024);
      const image = imageOf(layer);
      for (const blob of [layer, image.config]) registry.addBlob("app", await bytesOf(blob));
      registry.addManifest("app", image.manifest.descriptor.mediaType, await bytesOf(image.manifest), "v1");
      registry.fault = ({ kind, reference }) =>
        kind === "get blob" && reference === layer.descriptor.digest ? { kind: "change", change } : undefined;
      const directory = mkdtempSync(join(tmpdir(), "lambda-pack-pairs-"));
      t.after(() => rmSync(directory, { recursive: true, force: true }));
      const settings = { cache: false, environment: { HOME: directory } };
      const to = `oci:${join(directory, "out")}`;
      await assert.rejects(push({ source: `${registry.host}/app:v1`, to, ...settings }), {
        code: "CONTENT_MISMATCH",
      });
      const asked = registry
        .seen("get blob")
        .filter(({ reference }) => reference === layer.descriptor.digest);
      assert.equal(asked.length, 3);
    });
  }

  it("a token that is refused once is sent again where the token server gives the same one", async () => {
    const registry = await start({ auth: "token" });
    const image = imageOf(layerOf(1000));
    const { repository } = openedWith(registry, {}, { credentials: basicCredentials() });
    const tokens: Record<string, Buffer> = {};
    const refusals = {
      "put upload": [answer(401)],
      "put manifest": [answer(500), answer(401, "UNAUTHORIZED")],
    };
    registry.fault = ({ kind, query, headers }) => {
      if (kind === "put upload" || kind === "put manifest")
        return headers.authorization === undefined ? undefined : refusals[kind].shift();
      const scopes = query.getAll("scope").join(" ");
      const change = (honest: Answer) => {
        tokens[scopes] ??= Buffer.from(honest.body ?? "");
        return { ...honest, body: tokens[scopes] };
      };
      return kind === "token" ? { kind: "change", change } : undefined;
    };
    await pushTo(repository, image, "v1");
    assert.equal(registry.tag("app", "v1"), image.manifest.descriptor.digest);
    assert.deepEqual(refusals, { "put upload": [], "put manifest": [] });
    await repository.close();
  });

  it("a mount whose token is refused after a reset sends the blob instead", async () => {
    const registry = await start();
    const layer = layerOf(20_000);
    registry.fault = ({ kind, count }) =>
      kind !== "start upload"
        ? undefined
        : count === 1
          ? { kind: "drop" }
          : count === 2
            ? answer(401)
            : undefined;
    const { repository } = openedWith(registry, {});
    const origin = { registry: registry.host, repository: "base" };
    assert.equal(await repository.put({ ...layer, origin }), "uploaded");
    await repository.close();
  });

  /** Moves an image so that requests of every kind are made, and returns what went wrong. */
  const everyKind = {
    "get manifest": pulled,
    "get blob": pulled,
    token: pushed,
    "head manifest": pushed,
    "head blob": pushed,
    mount: pushed,
    "start upload": pushed,
    "patch upload": pushed,
  } as const satisfies Partial<
    Record<RequestKind, (kind: RequestKind, pair: readonly Fault[]) => Promise<void>>
  >;
  for (const [kind, survives] of Object.entries(everyKind)) {
    for (const [first, fault] of Object.entries(faults)) {
      it(`a ${kind} request survives ${first} and any other fault after it`, async () => {
        for (const other of Object.values(faults)) await survives(kind as RequestKind, [fault, other]);
      });
    }
  }

  it("a blob whose storage refuses an address twice as expired is asked for again at the registry", async () => {
    const registry = await start({ redirectBlobs: true });
    const layer = layerOf(50_000);
    registry.addBlob("app", await bytesOf(layer));
    inTurn(registry, "redirected blob", answer(403), answer(400));
    const { repository } = openedWith(registry, {});
    const image = await pulledFrom(registry, repository, layer);
    assert.deepEqual(await bytesOf(image), await bytesOf(layer));
    // The config three times, the layer once.
    assert.equal(registry.seen("get blob").length, 4);
    await repository.close();
  });

  it("a redirected blob survives a login that expired before the redirect", async () => {
    const registry = await start({ redirectBlobs: true, auth: "token" });
    const layer = layerOf(50_000);
    registry.addBlob("app", await bytesOf(layer));
    const { repository } = openedWith(registry, {}, { credentials: basicCredentials() });
    const image = await pulledFrom(registry, repository, layer);
    registry.revokeTokens();
    inTurn(registry, "redirected blob", { kind: "drop" });
    assert.deepEqual(await bytesOf(image), await bytesOf(layer));
    const strays = registry
      .seen("redirected blob")
      .filter(({ headers }) => headers.authorization !== undefined);
    assert.deepEqual(strays, []);
    await repository.close();
  });

  it("a mount that is cut and then answered with an upload sends the blob into that upload, once", async () => {
    const registry = await start();
    const layer = layerOf(50_000);
    inTurn(registry, "mount", { kind: "drop" });
    const { repository } = openedWith(registry, {});
    const origin = { registry: registry.host, repository: "base" };
    assert.equal(await repository.put({ ...layer, origin }), "uploaded");
    assert.deepEqual(registry.seen("start upload"), []);
    assert.equal(registry.seen("put upload").length, 1);
    await repository.close();
  });

  it("a mount whose answer is lost does not send the blob", async () => {
    const registry = await start();
    const layer = layerOf(50_000);
    registry.addBlob("base", await bytesOf(layer));
    inTurn(registry, "mount", { kind: "lose answer" }, answer(503));
    const { repository } = openedWith(registry, {});
    const origin = { registry: registry.host, repository: "base" };
    assert.equal(await repository.put({ ...layer, origin }), "mounted");
    await repository.close();
  });

  it("a 429 with a date to wait for and a token that expires meanwhile are both obeyed", async () => {
    const registry = await start({ auth: "token" });
    const image = imageOf(layerOf(50_000));
    const { repository, pacing } = openedWith(registry, {}, { credentials: basicCredentials() });
    let isFirst = true;
    registry.fault = ({ kind }) => {
      if (kind !== "put manifest" || !isFirst) return undefined;
      isFirst = false;
      registry.revokeTokens();
      return answer(429, "TOOMANYREQUESTS", { "retry-after": new Date(pacing.now() + 30_000).toUTCString() });
    };
    await pushTo(repository, image, "v1");
    assert.equal(registry.tag("app", "v1"), image.manifest.descriptor.digest);
    // The date has whole seconds, and a long wait is told every 10 seconds.
    const waited = pacing.waits.reduce((sum, ms) => sum + ms, 0);
    assert.ok(waited > 25_000 && waited <= 30_000, String(pacing.waits));
    await repository.close();
  });

  it("a proxy that opens no tunnel twice, in two ways, is asked again", async (t) => {
    const { proxy, url, open } = await behindProxy(t);
    const left: ProxyFault[] = [
      { do: "answer", status: 503 },
      { do: "cut", after: 1, direction: "up" },
    ];
    proxy.fault = () => left.shift();
    const { repository } = open(url);
    await pushTo(repository, imageOf(layerOf(1000)), "v1");
    assert.deepEqual(left, []);
    await repository.close();
  });

  it("a proxy that fails and then forbids the host is told as a refusal of the proxy", async (t) => {
    const { proxy, url, open } = await behindProxy(t);
    const left: ProxyFault[] = [
      { do: "answer", status: 502 },
      { do: "answer", status: 403 },
    ];
    proxy.fault = () => left.shift();
    const { repository } = open(url);
    await assert.rejects(pushTo(repository, imageOf(layerOf(1000)), "v1"), {
      code: "REGISTRY_UNREACHABLE",
      message: /the proxy .* refused a connection to registry\.test:443 \(status 403\)/,
    });
    await repository.close();
  });

  it("a proxy that is down, or has trouble, is named and not the registry", async (t) => {
    const { proxy, url, open } = await behindProxy(t);
    proxy.fault = () => ({ do: "answer", status: 502 });
    for (const [at, message] of [
      [
        url,
        /app: the proxy http:\/\/127\.0\.0\.1:\d+ answered 502 for registry\.test:443, 4 times in a row$/,
      ],
      [NOBODY_LISTENS.origin, /app: the proxy http:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED/],
    ] as const) {
      const { repository } = open(at);
      await assert.rejects(pushTo(repository, imageOf(layerOf(1000)), "v1"), {
        code: "REGISTRY_UNREACHABLE",
        message,
        hint: /check the proxy that HTTPS_PROXY or HTTP_PROXY names, or name registry\.test in NO_PROXY/,
      });
      await repository.close();
    }
  });

  for (const [status, message, hint] of [
    [
      403,
      /^the proxy .* refused a connection to auth\.test \(status 403: Blocked\)$/,
      /NO_PROXY=auth\.test$/,
    ],
    [502, /: the proxy .* answered 502 for auth\.test: Blocked, \d+ times/, /name auth\.test in NO_PROXY/],
  ] as const)
    it(`a proxy that answers ${status} for a token server over plain http is named, and not the registry`, async (t) => {
      const registry = await serve(t, (_, response) => {
        const challenge = 'Bearer realm="http://auth.test/token",service="registry.test"';
        response.writeHead(401, { "www-authenticate": challenge }).end();
      });
      const proxy = new ConnectProxy();
      proxy.route("registry.test:80", Number(registry.port));
      proxy.route("auth.test:80", Number(registry.port));
      const body = "<html><title>Blocked</title></html>";
      const headers = { "content-type": "text/html", via: "1.1 squid" };
      proxy.fault = ({ host }) =>
        host === "auth.test" ? { do: "answer", status, headers, body } : undefined;
      const reasons = new Set<string>();
      const repository = openRepository({
        registry: "registry.test",
        repository: "app",
        credentials: { get: async () => undefined },
        environment: { HTTP_PROXY: await proxy.start() },
        insecureRegistries: ["registry.test"],
        pacing: testPacing(),
        onEvent: (event) => event.type === "retrying" && reasons.add(event.reason),
      });
      t.after(() => proxy.stop());
      await assert.rejects(repository.find("v1"), { code: "REGISTRY_UNREACHABLE", message, hint });
      for (const reason of reasons) assert.match(reason, /^the proxy .* answered 502 for auth\.test/);
      assert.equal(reasons.size, status === 502 ? 1 : 0);
      await repository.close();
    });

  it("a TLS handshake that is cut, and then an answer that is cut, are survived", async (t) => {
    const { proxy, url, open } = await behindProxy(t);
    const left: ProxyFault[] = [
      { do: "cut", after: 100, direction: "up" },
      { do: "cut", after: 3000, direction: "down" },
    ];
    proxy.fault = () => left.shift();
    const { repository } = open(url);
    await pushTo(repository, imageOf(layerOf(60_000)), "v1");
    assert.deepEqual(left, []);
    await repository.close();
  });
});

async function pushed(kind: RequestKind, pair: readonly Fault[]): Promise<void> {
  const registry = await start({ auth: "token" });
  const layer = layerOf(50_000);
  const image = imageOf(
    kind === "mount" ? { ...layer, origin: { registry: registry.host, repository: "base" } } : layer,
  );
  registry.addBlob("base", await bytesOf(layer));
  const chunked = { wholeUpTo: 0, chunkSize: 20_000 };
  const { repository } = openedWith(registry, chunked, { credentials: basicCredentials() });
  inTurn(registry, kind, ...pair);
  for (const blob of [image.config, ...image.layers])
    if (!(await repository.has(blob.descriptor))) await repository.put(blob);
  await repository.publish(image.manifest, ["v1"]);
  assert.equal(registry.tag("app", "v1"), image.manifest.descriptor.digest);
  assert.ok(registry.seen(kind).length > pair.length, `${kind} came ${registry.seen(kind).length} times`);
  await repository.close();
}

async function pulled(kind: RequestKind, pair: readonly Fault[]): Promise<void> {
  const registry = await start();
  const layer = layerOf(50_000);
  const { repository } = openedWith(registry, {});
  inTurn(registry, kind, ...pair);
  const image = await pulledFrom(registry, repository, layer);
  assert.deepEqual(await bytesOf(image), await bytesOf(layer));
  assert.ok(registry.seen(kind).length > pair.length);
  await repository.close();
}

/** The layer of an image that is pulled by its tag. */
async function pulledFrom(registry: TestRegistry, repository: Repository, layer: Content): Promise<Content> {
  const image = imageOf(layer);
  for (const blob of [layer, image.config]) registry.addBlob("app", await bytesOf(blob));
  registry.addManifest("app", image.manifest.descriptor.mediaType, await bytesOf(image.manifest), "v1");
  const [first] = (await repository.pull("v1", undefined)).layers;
  assert.ok(first);
  return first;
}

/** `registry.test` behind TLS and a proxy. */
async function behindProxy(t: TestContext) {
  const registry = await start();
  const authority = new CertificateAuthority();
  t.after(() => authority.remove());
  const front = await serveTls(t, authority.leaf("registry.test"), (request, response) => {
    const { method, url: path, headers } = request;
    const passed = forward(
      { host: "127.0.0.1", port: registry.host.split(":")[1], method, path, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      },
    );
    passed.on("error", () => response.destroy());
    request.pipe(passed);
  });
  const proxy = new ConnectProxy();
  proxy.route("registry.test", Number(front.port));
  const url = await proxy.start();
  t.after(() => proxy.stop());
  const open = (HTTPS_PROXY: string) =>
    openedWith(
      { host: "registry.test", base: new URL("https://registry.test") },
      {},
      {
        environment: { HTTPS_PROXY, SSL_CERT_FILE: authority.file, HOME: "/nonexistent" },
      },
    );
  return { registry, proxy, url, open };
}

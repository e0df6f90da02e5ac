import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { afterEach, describe, it } from "node:test";
import type { Content } from "../../../src/oci/content.ts";
import { BlobHolders } from "../../../src/registry/holders.ts";
import { serve } from "../../support/http/serve.ts";
import { altered, answer } from "../../support/registry/fault-cases.ts";
import { TestRegistry, type TestRegistryOptions } from "../../support/registry/registry.ts";
import {
  answered,
  basicCredentials,
  contentOfBytes,
  imageOf,
  layerOf,
  opened,
  openedWith,
  pushTo,
} from "../../support/registry/repository.ts";

const SIZE = 100_000;
const CHUNK = 30_000;
const CHUNKED = { wholeUpTo: 0, chunkSize: CHUNK };
const started: TestRegistry[] = [];

async function start(options?: TestRegistryOptions): Promise<TestRegistry> {
  const registry = await TestRegistry.start(options);
  started.push(registry);
  return registry;
}

afterEach(async () => {
  for (const registry of started.splice(0)) await registry.stop();
});

/** The offsets at which chunks began, in the order in which they came. */
function startsOf(registry: TestRegistry): readonly number[] {
  return registry
    .seen("patch upload", "put upload")
    .map(({ headers }) => Number.parseInt(headers["content-range"] ?? "-1", 10));
}

describe("an upload", () => {
  it("takes POST and one PUT for a small blob", async () => {
    const registry = await start();
    const layer = layerOf(SIZE);
    assert.equal(await opened(registry).repository.put(layer), "uploaded");
    assert.deepEqual(
      registry.seen("start upload", "patch upload", "put upload").map(({ method }) => method),
      ["POST", "PUT"],
    );
    assert.equal(registry.blob("app", layer.descriptor.digest)?.length, SIZE);
  });

  it("sends an empty blob", async () => {
    const registry = await start();
    const layer = layerOf(0);
    await opened(registry).repository.put(layer);
    assert.equal(registry.blob("app", layer.descriptor.digest)?.length, 0);
  });

  it("goes in PATCHes with the last chunk in the closing PUT when it is large", async () => {
    const registry = await start({ absoluteLocations: true });
    await openedWith(registry, CHUNKED).repository.put(layerOf(SIZE));
    const ranges = registry
      .seen("patch upload", "put upload")
      .map(({ method, headers }) => `${method} ${headers["content-range"]}`);
    assert.deepEqual(ranges, ["PATCH 0-29999", "PATCH 30000-59999", "PATCH 60000-89999", "PUT 90000-99999"]);
  });

  it("goes to the last Location that the registry named, with its query", async () => {
    const registry = await start();
    await openedWith(registry, CHUNKED).repository.put(layerOf(SIZE));
    const states = registry.seen("patch upload", "put upload").map(({ query }) => query.get("_state"));
    assert.deepEqual(states, ["0", "30000", "60000", "90000"]);
  });

  for (const query of ["?AB+CD/==&flag&x=a%20b~", "?sig=%2F%2f+%7E&&a=", ""]) {
    it(`keeps the query ${JSON.stringify(query)} of a Location as the registry wrote it`, async (t) => {
      const asked: string[] = [];
      const url = await serve(t, (request, response) => {
        asked.push(`${request.method} ${request.url}`);
        const isUpload = request.method === "POST" || request.method === "PATCH";
        const location = `/v2/app/blobs/uploads/${asked.length}${query}`;
        request.resume().on("end", () => response.writeHead(isUpload ? 202 : 201, { location }).end());
      });
      const layer = layerOf(2 * CHUNK);
      const { repository } = openedWith(url, CHUNKED);
      await repository.put(layer);
      const digest = encodeURIComponent(layer.descriptor.digest);
      assert.deepEqual(asked, [
        "POST /v2/app/blobs/uploads/",
        `PATCH /v2/app/blobs/uploads/1${query}`,
        `PUT /v2/app/blobs/uploads/2${query === "" ? "?" : `${query}&`}digest=${digest}`,
      ]);
      await repository.close();
    });
  }

  it("makes its chunks as large as the registry wants them", async () => {
    const registry = await start({ minChunk: 45_000 });
    await openedWith(registry, CHUNKED).repository.put(layerOf(SIZE));
    assert.deepEqual(
      registry.seen("patch upload", "put upload").map(({ received }) => received),
      [45_000, 45_000, 10_000],
    );
  });

  it("refuses a registry that wants chunks of more than 1 GiB", async () => {
    const registry = await start({ minChunk: 2 ** 31 });
    await assert.rejects(openedWith(registry, CHUNKED).repository.put(layerOf(10)), {
      code: "REGISTRY_ANSWER",
      message: /2147483648/,
    });
  });

  it("says how much has arrived", async () => {
    const registry = await start();
    const sent: number[] = [];
    await openedWith(registry, CHUNKED).repository.put(layerOf(SIZE), {
      onBytes: (bytes) => sent.push(bytes),
    });
    assert.equal(sent.at(-1), SIZE);
    assert.ok(sent.includes(CHUNK));
  });

  it("sends what is put twice at once only once", async () => {
    const registry = await start();
    const { repository } = opened(registry);
    const layer = layerOf(SIZE);
    const results = await Promise.all([repository.put(layer), repository.put(layer), repository.put(layer)]);
    assert.deepEqual(results, ["uploaded", "uploaded", "uploaded"]);
    assert.equal(registry.bytesReceived, SIZE);
  });

  it("an upload is taken over by who waits for it when the first one is stopped", async () => {
    const registry = await start();
    const { repository } = opened(registry);
    const layer = layerOf(SIZE);
    const stop = new AbortController();
    registry.fault = ({ kind, count }) =>
      kind === "put upload" && count === 1 ? { kind: "silence" } : undefined;
    const first = repository.put(layer, { signal: stop.signal });
    const second = repository.put(layer);
    while (registry.seen("put upload").length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort(new Error("enough"));
    await assert.rejects(first, /enough/);
    assert.equal(await second, "uploaded");
  });
});

describe("a mount", () => {
  const elsewhere = (registry: TestRegistry): Content => {
    const layer = layerOf(SIZE);
    return { ...layer, origin: { registry: registry.host, repository: "base" } };
  };
  const hold = async (registry: TestRegistry, content: Content) => {
    for await (const bytes of content.read()) registry.addBlob("base", bytes);
  };

  it("moves no byte when the registry has the blob in another repository", async () => {
    const registry = await start();
    const layer = elsewhere(registry);
    await hold(registry, layer);
    assert.equal(await opened(registry).repository.put(layer), "mounted");
    assert.equal(registry.bytesReceived, 0);
    assert.ok(registry.blob("app", layer.descriptor.digest));
  });

  it("asks for the right to read the other repository", async () => {
    const registry = await start({ auth: "token" });
    const layer = elsewhere(registry);
    await hold(registry, layer);
    await opened(registry, { credentials: basicCredentials() }).repository.put(layer);
    const scopes = registry
      .seen("token")
      .flatMap(({ query }) => query.getAll("scope").flatMap((scope) => scope.split(" ")));
    assert.ok(scopes.includes("repository:base:pull"), scopes.join());
  });

  it("goes on with the session that a 202 offers instead", async () => {
    const registry = await start();
    assert.equal(await opened(registry).repository.put(elsewhere(registry)), "uploaded");
    assert.equal(registry.seen("mount", "start upload").length, 1);
    assert.equal(registry.bytesReceived, SIZE);
  });

  for (const status of [400, 401, 403, 404, 405]) {
    it(`becomes an upload when the registry answers ${status}`, async () => {
      const registry = await start();
      registry.fault = ({ kind }) => (kind === "mount" ? answer(status, "DENIED") : undefined);
      assert.equal(await opened(registry).repository.put(elsewhere(registry)), "uploaded");
    });
  }

  it("a mount is not tried from a repository of the same run whose upload of the blob failed", async () => {
    const registry = await start();
    registry.fault = ({ kind, repository }) =>
      kind === "start upload" && repository === "app" ? answer(403, "DENIED") : undefined;
    const holders = new BlobHolders();
    const layer = layerOf(SIZE);
    const [failing, other] = ["app", "other"].map((repository) =>
      opened(registry, { holders, repository }).repository.put(layer),
    );
    await assert.rejects(failing ?? Promise.resolve(), { code: "DENIED" });
    assert.equal(await other, "uploaded");
    assert.equal(registry.seen("mount").length, 0);
  });

  it("a mount is tried from the next repository of the run after the upload into the first one failed", async () => {
    const registry = await start();
    registry.fault = ({ kind, repository }) =>
      kind === "start upload" && repository === "app" ? answer(403, "DENIED") : undefined;
    const holders = new BlobHolders();
    const layer = layerOf(SIZE);
    const put = (repository: string) => opened(registry, { holders, repository }).repository.put(layer);
    await assert.rejects(put("app"), { code: "DENIED" });
    assert.equal(await put("second"), "uploaded");
    assert.equal(await put("third"), "mounted");
  });

  it("a mount is not tried again for a blob that the registry turns out to lack", async () => {
    const registry = await start();
    const layer = elsewhere(registry);
    await hold(registry, layer);
    const { repository } = opened(registry);
    const { config, manifest } = imageOf(layer);
    assert.equal(await repository.put(layer), "mounted");
    await repository.put(config);
    registry.removeBlob("app", layer.descriptor.digest);
    await assert.rejects(repository.publish(manifest, ["v1"]), { code: "BLOBS_MISSING" });
    assert.equal(await repository.put(layer), "uploaded");
    assert.equal(registry.seen("mount").length, 1);
  });

  it("a mount is not tried from another registry", async () => {
    const registry = await start();
    const layer = { ...layerOf(10), origin: { registry: "ghcr.io", repository: "base" } };
    await opened(registry).repository.put(layer);
    assert.equal(registry.seen("mount").length, 0);
  });

  it("a mount is not tried if the registry cannot", async () => {
    const registry = await start();
    await openedWith(registry, { mounts: false }).repository.put(elsewhere(registry));
    assert.equal(registry.seen("mount").length, 0);
  });
});

describe("an upload that was cut", () => {
  it("sends again only what did not arrive, if the registry keeps the session", async () => {
    const registry = await start();
    registry.fault = ({ kind, count }) =>
      kind === "put upload" && count === 1 ? { kind: "cut request", at: 70_000 } : undefined;
    const layer = layerOf(SIZE);
    await opened(registry).repository.put(layer);
    assert.equal(registry.bytesReceived, SIZE);
    assert.ok(registry.blob("app", layer.descriptor.digest));
  });

  it("sends no chunk twice that was acknowledged", async () => {
    const registry = await start();
    registry.fault = ({ kind, count }) =>
      kind === "patch upload" && count === 3 ? { kind: "cut request", at: 10_000 } : undefined;
    await openedWith(registry, CHUNKED).repository.put(layerOf(SIZE));
    assert.equal(registry.bytesReceived, SIZE);
  });

  it("sends no acknowledged chunk again when a Range falls behind it", async () => {
    const registry = await start();
    registry.fault = ({ kind, count }) =>
      kind === "patch upload" && count === 2 ? altered({ headers: { range: "0-999" } }) : undefined;
    const layer = layerOf(SIZE);
    await openedWith(registry, CHUNKED).repository.put(layer);
    assert.deepEqual(startsOf(registry).slice(0, 2), [0, 30_000]);
    assert.ok(startsOf(registry).every((start) => start % CHUNK === 0));
    assert.ok(registry.blob("app", layer.descriptor.digest));
  });

  it("an upload that was cut does not believe a status that says more than was sent", async () => {
    const registry = await start();
    registry.fault = ({ kind, count }) => {
      if (kind === "patch upload" && count === 2) return { kind: "cut request", at: 10_000 };
      return kind === "upload status" ? altered({ headers: { range: "0-79999" } }) : undefined;
    };
    const layer = layerOf(SIZE);
    await openedWith(registry, CHUNKED).repository.put(layer);
    assert.equal(registry.seen("upload status").length, 1);
    assert.ok(!startsOf(registry).includes(80_000));
    assert.ok(registry.blob("app", layer.descriptor.digest));
  });

  it("starts again if the registry has lost the session", async () => {
    const registry = await start({ sessions: "lost" });
    registry.fault = ({ kind, count }) =>
      kind === "put upload" && count === 1 ? { kind: "cut request", at: 70_000 } : undefined;
    const layer = layerOf(SIZE);
    await opened(registry).repository.put(layer);
    assert.equal(registry.seen("start upload").length, 2);
    assert.ok(registry.blob("app", layer.descriptor.digest));
  });

  it("goes on without asking where status is not to be trusted, at the byte that the 416 names", async () => {
    const registry = await start();
    registry.fault = ({ kind, count }) =>
      kind === "patch upload" && count === 2 ? { kind: "cut request", at: 10_000 } : undefined;
    await openedWith(registry, { ...CHUNKED, afterCut: "go-on", trustsRange: false }).repository.put(
      layerOf(SIZE),
    );
    assert.equal(registry.seen("upload status").length, 0);
    const refused = registry.seen("patch upload")[2];
    assert.equal(refused?.headers["content-range"], "30000-59999");
    assert.equal(registry.seen("patch upload")[3]?.headers["content-range"], "40000-69999");
  });

  it("an upload that was cut is not sent again when only the answer was lost", async () => {
    const registry = await start();
    registry.fault = ({ kind }) => (kind === "put upload" ? { kind: "lose answer" } : undefined);
    await opened(registry).repository.put(layerOf(SIZE));
    assert.equal(registry.bytesReceived, SIZE);
    assert.equal(registry.seen("put upload").length, 1);
  });

  it("starts again if all had arrived and the registry takes no closing PUT without a body", async () => {
    const registry = await start();
    const bytes = randomBytes(SIZE);
    const layer = contentOfBytes(bytes);
    registry.fault = ({ kind, count, reference, headers }) => {
      if (kind !== "put upload") return undefined;
      if (headers["content-length"] === "0") return answer(500);
      const upload = registry.uploads.get(reference);
      if (count > 1 || !upload) return undefined;
      // The last chunk is stored, but neither the end of the session nor the answer happens.
      upload.bytes.push(bytes.subarray(upload.size));
      upload.size = SIZE;
      return { kind: "drop" };
    };
    await openedWith(registry, { ...CHUNKED, afterCut: "go-on" }).repository.put(layer);
    assert.equal(registry.seen("start upload").length, 2);
    assert.equal(registry.blob("app", layer.descriptor.digest)?.length, SIZE);
  });

  it("tells of each wait", async () => {
    const registry = await start();
    registry.fault = ({ kind, count }) =>
      kind === "put upload" && count <= 2 ? answer(503, "UNAVAILABLE") : undefined;
    const { repository, events } = opened(registry);
    await repository.put(layerOf(SIZE));
    const retries = events.flatMap((event) =>
      event.type === "retrying" ? [`${event.attempt} ${event.reason}`] : [],
    );
    assert.deepEqual(retries, ["2 UNAVAILABLE", "3 UNAVAILABLE"]);
  });
});

describe("an upload that is refused", () => {
  it("goes in smaller and smaller requests until a proxy lets them through", async () => {
    const registry = await start();
    const limit = 200_000;
    registry.fault = ({ headers }) =>
      Number(headers["content-length"]) > limit ? { ...answer(413), early: true } : undefined;
    const layer = layerOf(1_000_000);
    await opened(registry).repository.put(layer);
    assert.equal(registry.blob("app", layer.descriptor.digest)?.length, 1_000_000);
  });

  it("names the proxy's limit when nothing is small enough", async () => {
    const registry = await start();
    registry.fault = ({ kind }) =>
      kind === "put upload" || kind === "patch upload" ? { ...answer(413), early: true } : undefined;
    await assert.rejects(
      opened(registry).repository.put(layerOf(1_000_000)),
      answered(413, { hint: /client_max_body_size/ }),
    );
  });

  it("an upload that is refused is a mistake of the source when its bytes are not what their digest says, and is not tried again", async () => {
    const registry = await start();
    const layer = layerOf(SIZE);
    const wrong: Content = { ...layerOf(SIZE), descriptor: layer.descriptor };
    const { repository, pacing } = opened(registry);
    await assert.rejects(repository.put(wrong), { code: "CONTENT_MISMATCH" });
    assert.deepEqual(pacing.waits, []);
    assert.equal(registry.seen("put upload").length, 1);
  });

  it("an upload that is refused is a mistake of the source when it has fewer bytes than its descriptor says", async () => {
    const registry = await start();
    const layer = layerOf(SIZE);
    const short: Content = { ...layerOf(SIZE - 1), descriptor: layer.descriptor };
    await assert.rejects(opened(registry).repository.put(short), { code: "CONTENT_MISMATCH" });
  });

  it("goes once more in one piece when chunks were put together wrongly", async () => {
    const registry = await start({ sessions: "lost" });
    const layer = layerOf(SIZE);
    registry.fault = ({ kind, count }) =>
      kind === "put upload" && count === 1 ? answer(400, "DIGEST_INVALID") : undefined;
    await openedWith(registry, CHUNKED).repository.put(layer);
    assert.equal(registry.seen("put upload").at(-1)?.received, SIZE);
  });

  it("an upload that is refused is the source's trouble when the source cannot be read, and is not waited for a second time", async () => {
    const [from, to] = [await start(), await start()];
    const image = imageOf(layerOf(SIZE));
    await pushTo(opened(from).repository, image, "v1");
    const [layer] = (await opened(from).repository.pull("v1", undefined)).layers;
    assert.ok(layer);
    from.removeBlob("app", layer.descriptor.digest);
    const { repository, pacing } = opened(to);
    await assert.rejects(
      repository.put(layer),
      answered(404, { message: new RegExp(`of ${from.host}/app`) }),
    );
    assert.deepEqual(pacing.waits, []);
    assert.equal(to.seen("start upload").length, 1);
  });

  for (const [status, code] of [
    [403, "DENIED"],
    [401, "CREDENTIALS_INVALID"],
    [405, "REGISTRY_ANSWER"],
  ] as const) {
    it(`ends at once with ${code} at ${status}`, async () => {
      const registry = await start();
      registry.fault = ({ kind }) => (kind === "start upload" ? answer(status, "X") : undefined);
      const { repository, pacing } = opened(registry);
      await assert.rejects(repository.put(layerOf(10)), answered(status, { code }));
      assert.deepEqual(pacing.waits, []);
    });
  }

  it("says so when the repository does not exist", async () => {
    const registry = await start({ repositories: ["other"] });
    await assert.rejects(opened(registry).repository.put(layerOf(10)), {
      code: "REPOSITORY_NOT_FOUND",
      message: /127\.0\.0\.1:\d+\/app/,
    });
  });

  it("says so when the registry is read-only", async () => {
    const registry = await start({ readOnly: true });
    await assert.rejects(
      opened(registry).repository.put(layerOf(10)),
      answered(405, { hint: /read-only/, message: /Method not allowed/ }),
    );
  });

  for (const location of ["http://169.254.169.254/latest/meta-data", "ftp://example.com/x", "http://[::"]) {
    it(`an upload that is refused does not go to ${location}`, async () => {
      const registry = await start();
      registry.fault = ({ kind }) =>
        kind === "start upload" ? { kind: "answer", status: 202, headers: { location } } : undefined;
      await assert.rejects(opened(registry).repository.put(layerOf(10)), { code: "REGISTRY_ANSWER" });
    });
  }

  it("an upload that is refused does not go on without a Location", async () => {
    const registry = await start();
    registry.fault = ({ kind }) => (kind === "start upload" ? { kind: "answer", status: 202 } : undefined);
    await assert.rejects(opened(registry).repository.put(layerOf(10)), {
      code: "REGISTRY_ANSWER",
      message: /Location/,
    });
  });

  it("sends no Authorization to another host that a Location names", async () => {
    const registry = await start({ auth: "basic" });
    const other = await start();
    registry.fault = ({ kind }) =>
      kind === "start upload"
        ? {
            kind: "answer",
            status: 202,
            headers: { location: `http://${other.host}/v2/app/blobs/uploads/x` },
          }
        : undefined;
    other.fault = ({ kind }) => (kind === "put upload" ? answer(201) : undefined);
    await opened(registry, { credentials: basicCredentials() }).repository.put(layerOf(10));
    assert.equal(other.seen("put upload").length, 1);
    assert.ok(other.seen().every(({ headers }) => headers.authorization === undefined));
  });
});

/** Less than any wait for an answer. */
const AT_ONCE = { timeout: 60_000 };

describe("an upload that is stopped", () => {
  it("ends at once, and its session is deleted", AT_ONCE, async () => {
    const registry = await start();
    registry.fault = ({ kind }) => (kind === "put upload" ? { kind: "silence" } : undefined);
    const { repository } = opened(registry);
    const stop = new AbortController();
    const put = repository.put(layerOf(SIZE), { signal: stop.signal });
    while (registry.seen("put upload").length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort(new Error("enough"));
    await assert.rejects(put, /enough/);
    await repository.close();
    assert.equal(registry.seen("cancel upload").length, 1);
    assert.equal(registry.uploads.size, 0);
  });

  it(
    "an upload that is stopped does not hang when the registry does not answer the DELETE",
    AT_ONCE,
    async () => {
      const registry = await start();
      registry.fault = ({ kind }) =>
        kind === "put upload" || kind === "cancel upload" ? { kind: "silence" } : undefined;
      const { repository } = opened(registry);
      const stop = new AbortController();
      const put = repository.put(layerOf(SIZE), { signal: stop.signal });
      while (registry.seen("put upload").length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      stop.abort(new Error("enough"));
      await assert.rejects(put, /enough/);
      await repository.close();
    },
  );

  it("deletes the session of an upload that failed", async () => {
    const registry = await start();
    registry.fault = ({ kind }) => (kind === "put upload" ? answer(403, "DENIED") : undefined);
    const { repository } = opened(registry);
    await assert.rejects(repository.put(layerOf(SIZE)), { code: "DENIED" });
    await repository.close();
    assert.equal(registry.uploads.size, 0);
  });

  it("ends while it waits for the next try", async () => {
    const registry = await start();
    registry.fault = ({ kind }) => (kind === "start upload" ? answer(503) : undefined);
    const stop = new AbortController();
    const { repository } = opened(registry, {
      pacing: undefined,
      onEvent: (event) => event.type === "retrying" && stop.abort(new Error("enough")),
    });
    await assert.rejects(repository.put(layerOf(10), { signal: stop.signal }), /enough/);
  });
});

describe("credentials in the middle of an upload", () => {
  it("credentials in the middle of an upload are renewed when the token expires between chunks", async () => {
    const registry = await start({ auth: "token" });
    registry.fault = ({ kind, count }) => {
      if (kind === "patch upload" && count === 2) registry.revokeTokens();
      return undefined;
    };
    const layer = layerOf(SIZE);
    const { repository } = openedWith(registry, CHUNKED, { credentials: basicCredentials() });
    await repository.put(layer);
    assert.ok(registry.blob("app", layer.descriptor.digest));
    // The first POST carries no token: its refusal tells which one is wanted.
    assert.equal(registry.seen("start upload").length, 2);
  });
});

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, it } from "node:test";
import { push } from "../../../src/commands/push/push.ts";
import { LambdaPackError } from "../../../src/errors.ts";
import { answer } from "../../support/faults.ts";
import { type Answer, type Fault, type RequestKind, TestRegistry } from "../../support/registry.ts";
import { bytesOf, imageOf, layerOf, openedWith, pushTo } from "../../support/repository.ts";

const started: TestRegistry[] = [];
afterEach(async () => {
  for (const registry of started.splice(0)) await registry.stop();
});

async function start(): Promise<TestRegistry> {
  const registry = await TestRegistry.start();
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
});

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { afterEach, describe, it } from "node:test";
import type { Content } from "../../../src/oci/content.ts";
import { MEDIA_TYPES } from "../../../src/oci/media-types.ts";
import { parseContentRange } from "../../../src/registry/blobs.ts";
import type { Repository } from "../../../src/registry/repository.ts";
import { corpus } from "../../support/corpora.ts";
import type { Fault } from "../../support/registry/fault.ts";
import { answer } from "../../support/registry/fault-cases.ts";
import { TestRegistry, type TestRegistryOptions } from "../../support/registry/registry.ts";
import {
  answered,
  basicCredentials,
  bytesOf,
  contentOfBytes,
  imageOf,
  opened,
  openedWith,
} from "../../support/registry/repository.ts";

/** Too large to be read whole before it is handed on. */
const BIG = 5 * 1024 * 1024;
const bytes = randomBytes(BIG);
const big = contentOfBytes(bytes);
const started: TestRegistry[] = [];

async function start(options?: TestRegistryOptions): Promise<TestRegistry> {
  const registry = await TestRegistry.start(options);
  started.push(registry);
  const image = imageOf(big);
  for (const blob of [image.config, big]) registry.addBlob("app", await bytesOf(blob));
  registry.addManifest("app", MEDIA_TYPES.oci.manifest, await bytesOf(image.manifest), "v1");
  return registry;
}

afterEach(async () => {
  for (const registry of started.splice(0)) await registry.stop();
});

async function layerFrom(repository: Repository): Promise<Content> {
  const [layer] = (await repository.pull("v1", { os: "linux", architecture: "amd64" })).layers;
  assert.ok(layer);
  return layer;
}

/** The first `faults.length` GETs of the large blob meet these. */
function onLayer(registry: TestRegistry, ...faults: readonly Fault[]): void {
  const waiting = [...faults];
  registry.fault = ({ kind, reference }) =>
    /get blob|redirected blob/.test(kind) && reference === big.descriptor.digest
      ? waiting.shift()
      : undefined;
}

const ranges = (registry: TestRegistry) =>
  registry
    .seen("get blob")
    .filter(({ reference }) => reference === big.descriptor.digest)
    .map(({ headers }) => headers.range);

describe("a blob of a registry", () => {
  it("a blob of a registry is read from its start, and says where it comes from", async () => {
    const registry = await start();
    const layer = await layerFrom(opened(registry).repository);
    assert.ok((await bytesOf(layer)).equals(bytes));
    assert.deepEqual(layer.origin, { registry: registry.host, repository: "app" });
  });

  it("a blob of a registry is read from the middle by a Range request", async () => {
    const registry = await start();
    const layer = await layerFrom(opened(registry).repository);
    assert.ok((await bytesOf(layer, 1000)).equals(bytes.subarray(1000)));
    assert.deepEqual(ranges(registry), ["bytes=1000-"]);
  });

  it("asks for nothing when it is read from its end", async () => {
    const registry = await start();
    const layer = await layerFrom(opened(registry).repository);
    assert.equal((await bytesOf(layer, BIG)).length, 0);
    assert.deepEqual(ranges(registry), []);
  });

  it("asks for the bytes as they are", async () => {
    const registry = await start();
    await bytesOf(await layerFrom(opened(registry).repository));
    assert.ok(registry.seen("get blob").every(({ headers }) => headers["accept-encoding"] === "identity"));
  });

  it("goes on where it was cut, and takes every byte once", async () => {
    const registry = await start();
    const layer = await layerFrom(opened(registry).repository);
    onLayer(registry, { kind: "cut answer", at: 3_000_000 }, { kind: "cut answer", at: 1_500_000 });
    assert.ok((await bytesOf(layer)).equals(bytes));
    const [first, second, third] = ranges(registry);
    assert.equal(first, undefined);
    assert.match(second ?? "", /^bytes=[1-9]\d*-$/);
    assert.match(third ?? "", /^bytes=[1-9]\d*-$/);
  });

  it("goes on where the connection stalled", async () => {
    const registry = await start();
    const layer = await layerFrom(opened(registry, { timeouts: { stallMs: 200 } }).repository);
    onLayer(registry, { kind: "stall", at: 2_000_000 });
    assert.ok((await bytesOf(layer)).equals(bytes));
  });

  it("skips what it has when a registry answers a Range with the whole", async () => {
    const registry = await start();
    const layer = await layerFrom(opened(registry).repository);
    const whole: Fault = {
      kind: "change",
      change: () => ({ status: 200, headers: { "content-length": String(BIG) }, body: bytes }),
    };
    onLayer(registry, { kind: "cut answer", at: 3_000_000 }, whole);
    assert.ok((await bytesOf(layer)).equals(bytes));
  });

  it("a blob of a registry does not take another part than it asked for", async () => {
    const registry = await start();
    const layer = await layerFrom(opened(registry).repository);
    const other: Fault = {
      kind: "change",
      change: (honest) => ({
        ...honest,
        headers: { ...honest.headers, "content-range": `bytes 0-${BIG - 1}/${BIG}` },
      }),
    };
    onLayer(registry, { kind: "cut answer", at: 3_000_000 }, other);
    assert.ok((await bytesOf(layer)).equals(bytes));
    assert.equal(ranges(registry).length, 3);
  });

  it("stops before the first byte when the registry offers more than the descriptor says", async () => {
    const registry = await start();
    const layer = await layerFrom(opened(registry).repository);
    registry.fault = ({ kind }) =>
      kind === "get blob"
        ? { kind: "answer", status: 200, headers: { "content-length": String(400 * 1024 * 1024) } }
        : undefined;
    await assert.rejects(bytesOf(layer), { code: "CONTENT_MISMATCH", message: /419430400/ });
  });

  it("stops at the first byte too many when no length was said", async () => {
    const registry = await start();
    const layer = await layerFrom(opened(registry).repository);
    const endless: Fault = {
      kind: "change",
      change: () => ({
        status: 200,
        headers: { "transfer-encoding": "chunked" },
        body: Buffer.alloc(2 * BIG),
      }),
    };
    registry.fault = ({ kind }) => (kind === "get blob" ? endless : undefined);
    let received = 0;
    const read = async () => {
      for await (const chunk of layer.read()) received += chunk.length;
    };
    await assert.rejects(read(), { code: "CONTENT_MISMATCH" });
    assert.ok(received <= BIG);
  });

  it("a download without a MiB of progress is given up when patience ends", async () => {
    const registry = await start();
    const layer = await layerFrom(opened(registry).repository);
    registry.fault = ({ kind }) => (kind === "get blob" ? { kind: "cut answer", at: 1000 } : undefined);
    await assert.rejects(bytesOf(layer), { code: "REGISTRY_UNREACHABLE" });
    assert.ok(ranges(registry).length >= 6);
  });

  it("a blob of a registry is resumed as often as it takes while it moves on", async () => {
    const registry = await start();
    const layer = await layerFrom(opened(registry).repository);
    onLayer(registry, ...Array.from({ length: 12 }, (): Fault => ({ kind: "cut answer", at: 420_000 })));
    assert.ok((await bytesOf(layer)).equals(bytes));
  });

  it("a blob of a registry is not in the registry: says so at once", async () => {
    const registry = await start();
    const { repository, pacing } = opened(registry);
    const layer = await layerFrom(repository);
    registry.removeBlob("app", big.descriptor.digest);
    await assert.rejects(bytesOf(layer), answered(404));
    assert.deepEqual(pacing.waits, []);
  });

  it("ends when the reader's signal aborts", async () => {
    const registry = await start();
    const layer = await layerFrom(opened(registry).repository);
    onLayer(registry, { kind: "stall", at: 1000 });
    const stop = new AbortController();
    const read = async () => {
      for await (const _ of layer.read(0, stop.signal)) stop.abort(new Error("enough"));
    };
    await assert.rejects(read(), /enough/);
  });

  it("leaves nothing open when the reader stops early", async () => {
    const registry = await start();
    const { repository } = opened(registry);
    for await (const _ of (await layerFrom(repository)).read()) break;
    await repository.close();
  });
});

describe("a blob that the registry keeps elsewhere", () => {
  it("a blob that the registry keeps elsewhere is followed to, without credentials, and every resume asks the registry again", async () => {
    const registry = await start({ redirectBlobs: true, auth: "basic" });
    const { repository } = opened(registry, { credentials: basicCredentials() });
    const layer = await layerFrom(repository);
    registry.fault = ({ kind, count }) =>
      kind === "redirected blob" && count === 2 ? { kind: "cut answer", at: 3_000_000 } : undefined;
    assert.ok((await bytesOf(layer)).equals(bytes));
    assert.ok(registry.seen("redirected blob").every(({ headers }) => headers.authorization === undefined));
    assert.equal(ranges(registry).length, 2);
  });

  it("a blob that the registry keeps elsewhere is not followed to for ever", async () => {
    const registry = await start();
    const layer = await layerFrom(opened(registry).repository);
    registry.fault = ({ kind, path }) =>
      kind === "get blob" ? answer(307, "", { location: path }) : undefined;
    await assert.rejects(bytesOf(layer), { code: "REGISTRY_ANSWER", message: /redirects more than 5/ });
    assert.ok(ranges(registry).length >= 6);
  });

  for (const location of ["http://169.254.169.254/x", "file:///etc/passwd", "http://0.0.0.0/x"]) {
    it(`a blob that the registry keeps elsewhere is not followed to ${location}`, async () => {
      const registry = await start();
      const { repository, pacing } = opened(registry);
      const layer = await layerFrom(repository);
      registry.fault = ({ kind }) => (kind === "get blob" ? answer(307, "", { location }) : undefined);
      await assert.rejects(bytesOf(layer), { code: "REGISTRY_ANSWER" });
      assert.deepEqual(pacing.waits, []);
    });
  }

  it("names the storage when that refuses", async () => {
    const registry = await start({ redirectBlobs: true });
    const layer = await layerFrom(opened(registry).repository);
    registry.fault = ({ kind }) => (kind === "redirected blob" ? answer(403) : undefined);
    await assert.rejects(bytesOf(layer), {
      code: "REGISTRY_ANSWER",
      hint: /keeps the blobs.*endpoint policy/,
    });
  });
});

describe("an answer that drips", () => {
  it("a manifest that comes byte by byte is asked for again", async () => {
    const registry = await start();
    const { repository } = openedWith(registry, {}, { timeouts: { stallMs: 300 } });
    registry.fault = ({ kind, count }) =>
      kind === "get manifest" && count === 1 ? { kind: "drip", everyMs: 20 } : undefined;
    await repository.pull("v1", { os: "linux", architecture: "amd64" });
    assert.equal(registry.seen("get manifest").length, 2);
  });
});

interface RangeCase {
  readonly id: string;
  readonly kind: string;
  readonly input: unknown;
  readonly expect: {
    readonly first?: number;
    readonly last?: number;
    readonly completeLength?: number;
    readonly error?: boolean;
  };
}

describe("Content-Range", () => {
  const cases = corpus<RangeCase>("registry-http").cases.filter(({ kind }) => kind === "Content-Range");
  it("Content-Range is read as containers/image reads it", () => {
    for (const { id, input, expect } of cases) {
      const lines = Array.isArray(input) ? input.map(String) : [];
      const { first, last, size } = parseContentRange(lines) ?? {};
      assert.deepEqual([first, last], [expect.first, expect.last], id);
      if (expect.completeLength !== undefined && expect.completeLength >= 0)
        assert.equal(size, expect.completeLength, id);
    }
  });
});

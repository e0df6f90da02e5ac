import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { type BuildEvent, type BuildOptions, build } from "../../../src/index.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import type { Fault } from "../../support/registry/fault.ts";
import { TestRegistry, type TestRegistryOptions } from "../../support/registry/registry.ts";
import type { Seen } from "../../support/registry/request.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

/** Bytes of the app's one large file: two chunks and a rest. */
const SIZE = 20_000_000;
/** Less than a chunk, and enough to be sent ahead. */
const SMALL = 3_000_000;
/** Enough pieces for a request to be answered in between, however busy the machine. */
const LONG = 100_000_000;
/** For each piece that is packed: the packing is otherwise over before the first request is answered. */
const SLOW_MS = 25;
const large = randomBytes(SIZE);

/** Holds this thread. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

async function scene(
  options: TestRegistryOptions = {},
  fault: (request: Seen) => Fault | undefined = () => undefined,
) {
  const registry = await TestRegistry.start(options);
  after(() => registry.stop());
  await publishBase(registry, "lambda/python", "3.12", lambdaBase());
  registry.fault = fault;
  const directory = makeTree({ "app.py": "def handler(event, context):\n    return event\n" });
  writeFileSync(join(directory, "model.bin"), large);
  const told: string[] = [];
  const onEvent = ({ type }: BuildEvent): void => {
    if (type === "layer-progress") pause(SLOW_MS);
    if (type === "layer-ready") told.push(`ready after ${registry.seen("patch upload").length} chunks`);
  };
  const run = (more: Partial<BuildOptions> = {}) =>
    build({
      directory,
      base: "python:3.12",
      to: `${registry.host}/app:v1`,
      cacheDir: join(temporaryDirectory(), "cache"),
      environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda` },
      onEvent,
      ...more,
    });
  return { registry, run, told, directory };
}

describe("build sending layers ahead", () => {
  it("build sends a large layer while it is packed, and no byte of it twice", async () => {
    const { registry, run, told } = await scene();
    const { digest, layers } = await run();
    assert.equal(registry.tag("app", "v1"), digest);
    assert.doesNotMatch(told.join(), /after 0 chunks/);
    const size = layers.at(-1)?.size ?? 0;
    assert.ok(size >= SIZE);
    assert.ok(
      registry.bytesReceived < size + 100_000,
      `${registry.bytesReceived} bytes for a layer of ${size}`,
    );
    assert.deepEqual(registry.seen("cancel upload"), [], "an upload that is continued is not ended");
  });

  it("build sends a small layer while other layers are packed", async () => {
    const { registry, run, directory } = await scene();
    mkdirSync(join(directory, "small"));
    writeFileSync(join(directory, "small/data.bin"), randomBytes(SMALL));
    // Zeros are packed to less than is sent ahead, and take as long as they are made to.
    truncateSync(join(directory, "model.bin"), 0);
    truncateSync(join(directory, "model.bin"), LONG);
    const begun = () => registry.seen("start upload").length;
    const told: number[] = [];
    const onEvent = ({ type }: BuildEvent): void => {
      if (type === "layer-progress" && begun() === 0) pause(3 * SLOW_MS);
      if (type === "image-composed") told.push(begun());
    };
    const { digest } = await run({ layer: [{ name: "small", glob: "small/**" }], onEvent });
    assert.equal(registry.tag("app", "v1"), digest);
    assert.deepEqual(told, [1]);
  });

  for (const sessions of ["kept", "lost"] as const) {
    it(`build sends a whole layer when a chunk of it is cut off and the upload session is ${sessions}`, async () => {
      const { registry, run } = await scene({ sessions }, ({ kind, count }) =>
        kind === "patch upload" && count === 2 ? { kind: "cut request", at: 1_000_000 } : undefined,
      );
      const { digest } = await run();
      assert.equal(registry.tag("app", "v1"), digest);
      if (sessions === "kept")
        assert.ok(registry.seen("upload status").length > 0, "it asks how much has arrived");
    });
  }

  it("build sends a layer after packing it when the registry refuses to begin", async () => {
    const { registry, run } = await scene({}, ({ kind, count }) =>
      kind === "start upload" && count === 1 ? { kind: "answer", status: 500 } : undefined,
    );
    const { digest } = await run();
    assert.equal(registry.tag("app", "v1"), digest);
  });

  it("build that fails leaves no layer that was sent ahead in the registry", async () => {
    const { registry, run } = await scene();
    await assert.rejects(run({ workdir: "relative" }), { code: "CHECK_FAILED" });
    assert.deepEqual(registry.seen("put upload"), []);
    assert.equal(registry.seen("cancel upload").length, registry.seen("start upload").length);
    assert.equal(registry.uploads.size, 0);
  });

  it("build with dryRun sends no layer ahead", async () => {
    const { registry, run } = await scene();
    await run({ dryRun: true });
    assert.deepEqual(registry.seen("start upload"), []);
  });
});

import assert from "node:assert/strict";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type BuildOptions, build } from "../../../src/index.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

const directory = makeTree({ "app.py": "def handler(e, c): return e\n" });

/** A registry with a base, and a machine that has built on it once. */
async function machine(more: Partial<BuildOptions> = {}) {
  const registry = await TestRegistry.start();
  await publishBase(registry, "lambda/python", "3.12", lambdaBase("x86_64"));
  const cacheDirectory = join(temporaryDirectory(), "cache");
  const repository = `${registry.host}/lambda/python`;
  const run = (again: Partial<BuildOptions> = {}) =>
    build({
      directory,
      base: `${repository}:3.12`,
      arch: "x86_64",
      to: `oci:${join(temporaryDirectory(), "out")}`,
      cacheDir: cacheDirectory,
      environment: {},
      ...more,
      ...again,
    });
  const first = await run();
  /** What requests another build makes, beside that which finds out how to log in. */
  const asked = async (again: Partial<BuildOptions> = {}) => {
    const before = registry.requests.length;
    const result = await run(again);
    const kinds = registry.requests.slice(before).map(({ kind }) => kind);
    return { result, kinds: kinds.filter((kind) => kind !== "ping") };
  };
  const pinned = `${repository}@${first.base.digest}`;
  return { registry, first, asked, pinned, cacheDirectory };
}

describe("build over a base that the cache has", () => {
  it("build over a cached base asks the registry only what its tag names now", async () => {
    const { registry, first, asked } = await machine();
    const { result, kinds } = await asked();
    assert.deepEqual(kinds, ["get manifest"]);
    assert.equal(result.digest, first.digest);
    await registry.stop();
  });

  it("build over a cached base that is named by digest makes no request", async () => {
    const { registry, asked, pinned } = await machine();
    const { result: known } = await asked({ base: pinned });
    const { result, kinds } = await asked({ base: pinned });
    assert.deepEqual(kinds, []);
    assert.equal(result.digest, known.digest);
    await registry.stop();
  });

  it("build over a cached base that the lock names makes no request, even when the registry is down", async () => {
    const lockFile = join(temporaryDirectory(), "lock");
    const { registry, first, asked } = await machine({ lockFile, lock: true });
    await asked({ lock: false });
    await registry.stop();
    const { result, kinds } = await asked({ lock: false });
    assert.deepEqual([result.digest, kinds], [first.digest, []]);
  });

  it("build over a cached base downloads what the cache has lost since", async () => {
    const { registry, asked, pinned, cacheDirectory } = await machine();
    const { result: known } = await asked({ base: pinned });
    const blobs = join(cacheDirectory, "blobs/sha256");
    for (const name of readdirSync(blobs)) rmSync(join(blobs, name));
    const { result, kinds } = await asked({ base: pinned });
    assert.deepEqual([...new Set(kinds)].sort(), ["get blob", "get manifest"]);
    assert.equal(result.digest, known.digest);
    await registry.stop();
  });

  it("build over a cached base downloads layers that another destination does not have", async () => {
    const { registry, asked, pinned, cacheDirectory } = await machine();
    await asked({ base: pinned });
    const blobs = join(cacheDirectory, "blobs/sha256");
    for (const name of readdirSync(blobs)) writeFileSync(join(blobs, name), "damaged");
    const to = await TestRegistry.start();
    const { result } = await asked({ base: pinned, to: `${to.host}/app:v1` });
    const pushed = await build({
      ...{ directory, base: pinned, environment: {}, cache: false },
      to: `oci:${join(temporaryDirectory(), "out")}`,
    });
    assert.equal(result.digest, pushed.digest);
    await Promise.all([registry.stop(), to.stop()]);
  });
});

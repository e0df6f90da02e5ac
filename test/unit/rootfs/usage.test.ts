import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { digestOf } from "../../../src/oci/digest.ts";
import type { Layer } from "../../../src/oci/image.ts";
import { cacheOf } from "../../../src/rootfs/caches.ts";
import { bySize, Largest } from "../../../src/rootfs/largest.ts";
import { type ImageUsage, measureUsage } from "../../../src/rootfs/usage.ts";
import { layerOf } from "../../support/images/small-image.ts";

const big = (letter: string) => letter.repeat(5000);

async function inventoryOf(...layers: readonly Readonly<Record<string, string>>[]): Promise<ImageUsage> {
  return measureUsage(await Promise.all(layers.map((files) => layerOf(files))));
}

describe("the inventory of an image", () => {
  it("the inventory of an image has the files that can be seen, the largest first, with their layers", async () => {
    const { contents } = await inventoryOf({ "a.txt": "12", "b.txt": "1234" }, { "c.txt": "123" });
    const { files, seen } = contents;
    assert.deepEqual(files, [
      { path: "b.txt", size: 4, layer: 0 },
      { path: "c.txt", size: 3, layer: 1 },
      { path: "a.txt", size: 2, layer: 0 },
    ]);
    assert.deepEqual(seen, { files: 3, bytes: 9 });
  });

  it("says of each layer what it holds, hides and wastes", async () => {
    const { layers } = await inventoryOf(
      { "lib/a": "12345", "lib/b": "123" },
      { "lib/a": "1", "x/.wh.nothing": "" },
      { "lib/.wh.b": "", "lib/a": "22" },
    );
    assert.deepEqual(
      layers.map(({ files, fileBytes, hidden, hides }) => [files, fileBytes, hidden, hides]),
      [
        [2, 8, { files: 2, bytes: 8 }, { files: 0, bytes: 0 }],
        [2, 1, { files: 1, bytes: 1 }, { files: 0, bytes: 0 }],
        [2, 2, { files: 0, bytes: 0 }, { files: 3, bytes: 9 }],
      ],
    );
  });

  it("counts what a layer takes unpacked, headers and padding included", async () => {
    const { layers } = await inventoryOf({ a: "1" });
    assert.equal(layers[0]?.bytes, 512 * 4);
  });

  it("names what is hidden, by which layer and how", async () => {
    const { contents } = await inventoryOf(
      { "d/a": "12345", "d/b": "123", "e/c": "1" },
      { "d/a": "1" },
      { "d/.wh.b": "", "e/.wh..wh..opq": "" },
    );
    assert.deepEqual(contents.waste.hidden, [
      { path: "d/a", size: 5, layer: 0, by: 1, how: "replaced" },
      { path: "d/b", size: 3, layer: 0, by: 2, how: "removed" },
      { path: "e/c", size: 1, layer: 0, by: 2, how: "removed" },
    ]);
  });

  it("finds the same content in several places, but not what is hidden", async () => {
    const { contents } = await inventoryOf(
      { a: big("x"), b: big("x"), h: big("y") },
      { c: big("x"), h: big("z"), i: big("y") },
    );
    assert.deepEqual(
      contents.waste.duplicates.map(({ size, copies, paths }) => [size, copies, [...paths].sort()]),
      [[5000, 3, ["a", "b", "c"]]],
    );
  });

  it("the inventory of an image does not take files of one size for the same", async () => {
    const { contents } = await inventoryOf({ a: big("x"), b: big("y") });
    assert.deepEqual(contents.waste.duplicates, []);
  });

  it("sums up caches by their directories", async () => {
    const { contents } = await inventoryOf({
      "var/cache/dnf/a/b": "123",
      "var/cache/dnf/c": "12",
      "var/task/app.py": "1",
    });
    assert.deepEqual(contents.waste.caches, [
      { path: "var/cache/dnf", what: "package manager's cache", files: 2, bytes: 5 },
    ]);
  });

  it("tells of a damaged layer, and has what came before the damage", async () => {
    const layer = await layerOf({ a: big("x"), b: "1" });
    const cut: Layer = {
      ...layer,
      async *read() {
        for await (const chunk of layer.read()) yield chunk.subarray(0, chunk.length - 30);
      },
    };
    const { layers } = await measureUsage([cut]);
    assert.match(layers[0]?.broken ?? "", /is damaged: its gzip ends early/);
  });

  it("tells of a layer that is not what the image says", async () => {
    const layer = await layerOf({ a: "1" });
    const wrong = digestOf("something else");
    const { layers } = await measureUsage([
      { ...layer, diffId: wrong },
      { ...layer, descriptor: { ...layer.descriptor, digest: wrong } },
    ]);
    assert.match(layers[0]?.broken ?? "", /^its diffId is sha256:/);
    assert.match(layers[1]?.broken ?? "", /^the source gave bytes with the digest sha256:/);
  });
});

describe("the largest of many", () => {
  it("the largest of many are kept, and the rest summed up", () => {
    const largest = new Largest<{ readonly path: string; readonly size: number }>(3, bySize);
    for (const size of [5, 1, 9, 7, 3, 8, 2]) largest.add({ path: `${size}`, size });
    assert.deepEqual(
      largest.list().map(({ size }) => size),
      [9, 8, 7],
    );
    assert.deepEqual(largest.dropped, { files: 4, bytes: 11 });
  });
});

describe("a cache", () => {
  const cases: Readonly<Record<string, string | undefined>> = {
    "root/.npm/_cacache/index/a": "root/.npm/_cacache",
    "root/.cache/pip/http/a": "root/.cache/pip",
    "var/task/.cache/x": "var/task/.cache",
    ".cache/x": ".cache",
    "tmp/x": "tmp",
    "var/tmp/x": "var/tmp",
    "var/task/tmp/x": undefined,
    "var/task/.git/HEAD": "var/task/.git",
    "var/task/.github/x": undefined,
    "var/lib/apt/lists/x": "var/lib/apt/lists",
    "var/task/app.py": undefined,
    tmp: undefined,
  };
  for (const [path, directory] of Object.entries(cases))
    it(`of ${path} is ${directory}`, () => assert.equal(cacheOf(path)?.path, directory));
});

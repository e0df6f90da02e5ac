import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pairLayers } from "../../../src/commands/diff/diff.ts";
import { check, diff, inspect, LambdaPackError } from "../../../src/index.ts";
import { openLayout } from "../../../src/layout/directory.ts";
import { dockerArchiveSink } from "../../../src/layout/docker-archive.ts";
import { compose, emptyImage, type ImageChanges } from "../../../src/oci/compose.ts";
import { digestOf, hexOf } from "../../../src/oci/digest.ts";
import type { Image } from "../../../src/oci/image.ts";
import { publishBase } from "../../support/images/base.ts";
import { AMD64, layerOf, send } from "../../support/images/small-image.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { temporaryDirectory } from "../../support/trees.ts";

const directory = temporaryDirectory();
const at = (name: string) => join(directory, name);
const quiet = { environment: {}, cache: false };

interface Sample extends Partial<ImageChanges> {
  readonly base?: Readonly<Record<string, string>>;
  readonly deps?: Readonly<Record<string, string>>;
  readonly app?: Readonly<Record<string, string>>;
}

/** A base of one layer, and two of ours on it. */
async function imageOf({
  base = { "etc/os": "base" },
  deps = {},
  app = {},
  ...changes
}: Sample): Promise<Image> {
  const lowest = emptyImage(AMD64, "oci");
  const layer = await layerOf(base);
  const made = { ...compose(lowest, { layers: [{ name: "x", layer }], created: new Date(0) }) };
  const { history: _, ...settings } = made.settings;
  return compose(
    { ...made, settings },
    {
      layers: [
        { name: "deps", layer: await layerOf({ "var/task/lib": "lib", ...deps }) },
        { name: "app", layer: await layerOf({ "var/task/app": "app", ...app }) },
      ],
      created: new Date(0),
      ...changes,
    },
  );
}

async function layoutOf(name: string, image: Image): Promise<string> {
  const sink = openLayout(at(name));
  await send(image, sink, ["v1"]);
  await sink.close();
  return `oci:${at(name)}:v1`;
}

describe("inspect", () => {
  it("tells config, layers and which of them are the base's", async () => {
    const image = await imageOf({
      cmd: ["app.handler"],
      env: { A: "1" },
      labels: { l: "x" },
      workingDir: "/var/task",
    });
    const { config, layers, ...facts } = await inspect({ source: await layoutOf("facts", image), ...quiet });
    assert.equal(facts.digest, image.manifest.descriptor.digest);
    assert.equal(facts.platform, "linux/amd64");
    assert.deepEqual(config, {
      ...{
        entrypoint: [],
        cmd: ["app.handler"],
        env: ["A=1"],
        workdir: "/var/task",
        user: "",
        labels: { l: "x" },
      },
    });
    assert.deepEqual(
      layers.map(({ part, createdBy, contents }) => [part, createdBy, contents?.files]),
      [
        ["base", "base layer", 1],
        ["app", "lambda-pack: deps", 1],
        ["app", "lambda-pack: app", 1],
      ],
    );
    assert.deepEqual(
      facts.contents?.files.map(({ path }) => path),
      ["etc/os", "var/task/app", "var/task/lib"],
    );
  });

  it("inspect does not read a layer if files are not asked for", async () => {
    const image = await imageOf({});
    const source = await layoutOf("unread", image);
    for (const { descriptor } of image.layers)
      writeFileSync(join(at("unread"), "blobs", "sha256", hexOf(descriptor.digest)), "gone");
    const { layers, contents } = await inspect({ source, files: false, ...quiet });
    assert.deepEqual([layers.length, contents], [3, undefined]);
  });

  it("tells of a damaged layer and goes on", async () => {
    const image = await imageOf({});
    const source = await layoutOf("damaged", image);
    const { digest, size } = image.layers[1]?.descriptor ?? { digest: digestOf(""), size: 0 };
    writeFileSync(join(at("damaged"), "blobs", "sha256", hexOf(digest)), Buffer.alloc(size, 1));
    const { layers } = await inspect({ source, ...quiet });
    assert.deepEqual(
      layers.map(({ contents }) => contents?.broken === undefined),
      [true, false, true],
    );
  });

  it("shows uncompressed layers as they are", async () => {
    const sink = dockerArchiveSink(at("app.tar"));
    await send(await imageOf({}), sink, ["v1"]);
    await sink.close();
    const { layers } = await inspect({ source: `docker-archive:${at("app.tar")}`, ...quiet });
    for (const { contents } of layers) assert.equal(contents?.broken, undefined);
    assert.equal(layers.length, 3);
  });

  it("fetches each layer of a registry once, and none if files are not asked for", async () => {
    const registry = await TestRegistry.start();
    try {
      const image = await imageOf({});
      await publishBase(registry, "app", "v1", image);
      const digests = image.layers.map(({ descriptor }) => `${descriptor.digest}`);
      const fetched = () =>
        registry.seen("get blob").filter(({ reference }) => digests.includes(reference)).length;
      const source = `${registry.host}/app:v1`;
      const options = { environment: {}, cacheDir: at("cache") };
      await inspect({ ...options, source, files: false });
      assert.equal(fetched(), 0);
      await inspect({ ...options, source });
      await diff({ ...options, before: source, after: source, why: true });
      assert.equal(fetched(), 3);
    } finally {
      await registry.stop();
    }
  });

  it("of nothing says that it is not there", async () => {
    await assert.rejects(inspect({ source: `oci:${at("none")}`, ...quiet }), LambdaPackError);
  });
});

describe("diff", () => {
  it("of an image and itself is nothing", async () => {
    const source = await layoutOf("same", await imageOf({}));
    const { same, config, layers, files } = await diff({ before: source, after: source, ...quiet });
    assert.deepEqual([same, config, files?.list], [true, [], []]);
    assert.deepEqual(
      layers.map(({ change }) => change),
      ["kept", "kept", "kept"],
    );
  });

  it("tells config, layers and files", async () => {
    const before = await layoutOf("before", await imageOf({ cmd: ["a"] }));
    const after = await layoutOf("after", await imageOf({ cmd: ["b"], app: { "var/task/app": "APP" } }));
    const { same, config, layers, files } = await diff({ before, after, ...quiet });
    assert.equal(same, false);
    assert.deepEqual(config, [{ field: "Cmd", before: ["a"], after: ["b"] }]);
    assert.deepEqual(
      layers.map(({ change }) => change),
      ["kept", "kept", "changed"],
    );
    assert.deepEqual(
      files?.list.map(({ path, change }) => [path, change]),
      [["var/task/app", "changed"]],
    );
  });

  it("says why a layer is another one only where that is asked", async () => {
    const before = await layoutOf("why-before", await imageOf({}));
    const after = await layoutOf("why-after", await imageOf({ deps: { "var/task/lib": "LIB" } }));
    const [, silent] = (await diff({ before, after, ...quiet })).layers;
    const [, told] = (await diff({ before, after, why: true, files: false, ...quiet })).layers;
    assert.ok(silent?.change === "changed" && silent.why === undefined);
    assert.ok(told?.change === "changed");
    assert.deepEqual(told.why?.changed.content, { count: 1, paths: ["var/task/lib"] });
  });

  it("names the bases if they are not the same", async () => {
    const labels = (digit: string) => ({
      "org.opencontainers.image.base.digest": `sha256:${digit.repeat(64)}`,
    });
    const before = await layoutOf("base-before", await imageOf({ labels: labels("1") }));
    const after = await layoutOf(
      "base-after",
      await imageOf({ base: { "etc/os": "new" }, labels: labels("2") }),
    );
    const { base, layers } = await diff({ before, after, ...quiet });
    assert.deepEqual(base, { before: `sha256:${"1".repeat(64)}`, after: `sha256:${"2".repeat(64)}` });
    assert.deepEqual(
      layers.map(({ change }) => change),
      ["changed", "kept", "kept"],
    );
  });
});

describe("layers of two images", () => {
  const pairs = (before: Image, after: Image) =>
    pairLayers(before, after).map((pair) => [pair.before?.facts.index, pair.after?.facts.index]);

  it("belong together by their names when one is put between", async () => {
    const before = await imageOf({});
    const extra = await layerOf({ extra: "1" });
    const app = await layerOf({ "var/task/app": "other" });
    const layers = [
      { name: "deps", layer: await layerOf({ "var/task/lib": "other" }) },
      { name: "native", layer: extra },
      { name: "app", layer: app },
    ];
    const after = compose(emptyImage(AMD64, "oci"), { layers, created: new Date(0) });
    assert.deepEqual(pairs(before, after), [
      [1, 0],
      [undefined, 1],
      [2, 2],
      [0, undefined],
    ]);
  });

  it("that are one tar belong together, however they are compressed", async () => {
    const image = await imageOf({});
    const [first, ...rest] = image.layers;
    assert.ok(first);
    const again = {
      ...image,
      layers: [{ ...first, descriptor: { ...first.descriptor, digest: digestOf("other") } }, ...rest],
    };
    assert.deepEqual(pairs(image, again), [
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
  });
});

describe("what is on this disk under the very name of an image", () => {
  it("what is on this disk under the very name of an image is not looked for in Docker Hub: the error says how it is written", async () => {
    const [path, file] = [directory, at("image.tar")];
    writeFileSync(file, "");
    const asDirectory = { code: "USAGE", message: /is a directory/, hint: /lambda-pack build/ };
    const asFile = { code: "USAGE", hint: /write oci-archive:.*image\.tar or docker-archive:/ };
    await assert.rejects(inspect({ source: path, ...quiet }), asDirectory);
    await assert.rejects(diff({ before: file, after: path, ...quiet }), asFile);
    await assert.rejects(check({ source: file, ...quiet }), asFile);
  });
});

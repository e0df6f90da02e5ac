import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { type BuildEvent, check, type PushOptions, push } from "../../../src/index.ts";
import { openLayout } from "../../../src/layout/directory.ts";
import { readAll } from "../../../src/oci/content.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { TarReader } from "../../../src/tar/tar-reader.ts";
import { failsWith } from "../../support/errors.ts";
import { zstdOf, zstdZeros } from "../../support/formats/zstd.ts";
import { publishBase } from "../../support/images/base.ts";
import {
  APP_LAYER,
  BASE_LAYER,
  file,
  GOOD,
  type TestImage,
  tarOf,
  writeImage,
} from "../../support/images/check-image.ts";
import { imageWith } from "../../support/images/compose-image.ts";
import { ARM64 } from "../../support/images/small-image.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { temporaryDirectory } from "../../support/trees.ts";

async function pushed(source: string, options: Partial<PushOptions> = {}) {
  const out = join(temporaryDirectory(), "out");
  const events: BuildEvent[] = [];
  const result = await push({
    ...{ source, to: `oci:${out}:latest`, forLambda: true, cacheDir: temporaryDirectory() },
    ...{ environment: { HOME: temporaryDirectory() }, onEvent: (event: BuildEvent) => events.push(event) },
    ...options,
  });
  const told = events.flatMap((event) => (event.type === "image-changed" ? [event.what] : []));
  assert.deepEqual(result.changes ?? [], told);
  const image = await openLayout(out).pull("latest", undefined);
  return { result, image, made: `oci:${out}:latest`, changes: result.changes ?? [] };
}

/** No rule finds an error in it. */
async function assertLoads(source: string): Promise<void> {
  const { findings } = await check({ source, deep: true, cacheDir: temporaryDirectory() });
  assert.deepEqual(
    findings.filter(({ severity }) => severity === "error"),
    [],
  );
}

/** {@link GOOD} with blobs that are compressed in another way, and the diffIDs of the tars. */
async function withBlobs(blobOf: (tar: Buffer) => Buffer, image: Partial<TestImage>): Promise<TestImage> {
  const tars = await Promise.all([BASE_LAYER, APP_LAYER].map(tarOf));
  const rootfs = { type: "layers", diff_ids: tars.map((tar) => digestOf(tar)) };
  return { ...GOOD, layers: tars.map(blobOf), more: { rootfs }, ...image };
}

const OCI_LAYER = "application/vnd.oci.image.layer.v1.tar";

describe("push --for-lambda", () => {
  it("push --for-lambda leaves an image with nothing to change as it is, digest and all", async () => {
    const source = await writeImage(GOOD);
    const plain = await pushed(source, { forLambda: false });
    const { result, changes } = await pushed(source);
    assert.equal(result.digest, plain.result.digest);
    assert.deepEqual(changes, []);
    assert.equal("changes" in plain.result, false);
  });

  it("push --for-lambda takes the image out of an index with an attestation, and says so", async () => {
    const index = [
      { os: "linux", architecture: "amd64" },
      { os: "unknown", architecture: "unknown" },
    ];
    const { changes, made } = await pushed(await writeImage({ ...GOOD, index }));
    assert.deepEqual(changes, ["index: the one manifest for linux/amd64, without 1 attestation"]);
    await assertLoads(made);
  });

  it("push --for-lambda makes gzip of zstd layers, and the config stays byte for byte", async () => {
    const source = await writeImage(
      await withBlobs((tar) => zstdOf(tar), { layerType: `${OCI_LAYER}+zstd` }),
    );
    const { changes, image, made } = await pushed(source);
    assert.deepEqual(changes, ["layer 1 of 2: gzip instead of zstd", "layer 2 of 2: gzip instead of zstd"]);
    const before = await openLayout(source.slice(4, -3)).find("v1");
    const manifest = JSON.parse(String(await readAll(before.top)));
    assert.equal(image.config.descriptor.digest, manifest.config.digest);
    await assertLoads(made);
  });

  it("push --for-lambda makes gzip of layers that are not compressed", async () => {
    const { changes, made } = await pushed(
      await writeImage(await withBlobs((tar) => tar, { layerType: OCI_LAYER })),
    );
    assert.deepEqual(changes, [
      "layer 1 of 2: gzip instead of no compression",
      "layer 2 of 2: gzip instead of no compression",
    ]);
    await assertLoads(made);
  });

  it("push --for-lambda gives layers the media type of the manifest's family", async () => {
    const docker = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    const { changes, made } = await pushed(await writeImage({ ...GOOD, layerType: docker }));
    assert.deepEqual(changes, [
      `layer 1 of 2: ${OCI_LAYER}+gzip instead of ${docker}`,
      `layer 2 of 2: ${OCI_LAYER}+gzip instead of ${docker}`,
    ]);
    await assertLoads(made);
  });

  it("push --for-lambda adds the directories that a layer lacks, with the modes of the layers below", async () => {
    const secret = { name: "srv/", type: "directory", mode: 0o711 } as const;
    const layers = [
      [...BASE_LAYER, secret],
      [file("srv/a/b.txt", "1"), file("var/task/app.py", "def handler(event, context): return event\n")],
    ];
    const { changes, made } = await pushed(await writeImage({ ...GOOD, layers }));
    assert.deepEqual(changes, [
      "layer 2 of 2: entries of directories before what is in them: /srv, /srv/a, /var and 1 more",
    ]);
    await assertLoads(made);
    assert.deepEqual(await entriesOf(made), [
      ...["srv/ 711", "srv/a/ 755", "var/ 755", "var/task/ 755"],
      ...["srv/a/b.txt 644", "var/task/app.py 644"],
    ]);
  });

  it("push --for-lambda moves directories that come behind what is in them, long names included", async () => {
    const long = `opt/${"d".repeat(120)}`;
    const layer = [
      file("opt/x", "1"),
      file(`${long}/f`, "2"),
      { name: `${long}/`, type: "directory", mode: 0o700 } as const,
      { name: "opt/", type: "directory", mode: 0o750 } as const,
      file("opt/y", "3".repeat(600)),
      ...APP_LAYER,
    ];
    const { made } = await pushed(await writeImage({ ...GOOD, layers: [BASE_LAYER, layer] }));
    assert.deepEqual(await entriesOf(made), [
      ...["opt/ 750", `${long}/ 700`, "opt/x 644", `${long}/f 644`, "opt/y 644"],
      ...["var/ 755", "var/task/ 755", "var/task/app.py 644"],
    ]);
  });

  it("push --for-lambda refuses a layer with files below a link of a layer below it", async () => {
    const layers = [
      [...BASE_LAYER, { name: "data", type: "symlink", linkname: "srv" } as const],
      [...APP_LAYER, file("data/x", "1")],
    ];
    await assert.rejects(
      pushed(await writeImage({ ...GOOD, layers })),
      failsWith("IMAGE_UNSUPPORTED", /below \/data, which is a symlink/),
    );
  });

  it("push --for-lambda refuses a gzip layer whose diffID is not the config's", async () => {
    const rootfs = { type: "layers", diff_ids: [digestOf("a"), digestOf("b")] };
    await assert.rejects(
      pushed(await writeImage({ ...GOOD, more: { rootfs } })),
      failsWith("CONTENT_MISMATCH", /unpacks to sha256:.*, and the config says/),
    );
  });

  const damaged: readonly (readonly [title: string, layer: Buffer, words: RegExp])[] = [
    ["that is cut off", zstdOf(Buffer.alloc(200_000)).subarray(0, 150_000), /is damaged: its zstd is wrong/],
    [
      "that grows to more than 1000 times its size",
      zstdZeros(2100),
      /grows to more than 1000 times its size/,
    ],
    ["that needs a window of 1 GB", zstdOf(Buffer.alloc(100), 0xa0), /needs a window of more than 128 MB/],
  ];
  for (const [title, layer, words] of damaged)
    it(`push --for-lambda refuses a zstd layer ${title}`, async () => {
      const source = await writeImage({ ...GOOD, layers: [layer], layerType: `${OCI_LAYER}+zstd` });
      await assert.rejects(pushed(source), failsWith("IMAGE_INVALID", words));
    });

  it("push without --for-lambda still refuses zstd layers", async () => {
    const source = await writeImage(
      await withBlobs((tar) => zstdOf(tar), { layerType: `${OCI_LAYER}+zstd` }),
    );
    await assert.rejects(pushed(source, { forLambda: false }), failsWith("IMAGE_UNSUPPORTED", /zstd/));
  });
});

describe("push --for-lambda from a registry", () => {
  let registry: TestRegistry;
  before(async () => {
    registry = await TestRegistry.start();
    const app = { "app.txt": "1" };
    await publishBase(registry, "app", "1", await imageWith([app]), await imageWith([app], {}, ARM64));
  });
  after(() => registry.stop());

  it("push --for-lambda --arch takes the image of the architecture out of an index", async () => {
    const { result, changes } = await pushed(`${registry.host}/app:1`, { arch: "arm64" });
    assert.equal(result.platform, "linux/arm64");
    assert.deepEqual(changes, ["index: the one manifest for linux/arm64, without 1 other image"]);
  });
});

/** Names and modes in the topmost layer, in the order of the tar. */
async function entriesOf(source: string): Promise<readonly string[]> {
  const image = await openLayout(source.slice("oci:".length, -":latest".length)).pull("latest", undefined);
  const names: string[] = [];
  const reader = new TarReader({ enter: ({ name, mode }) => void names.push(`${name} ${mode.toString(8)}`) });
  const [layer] = image.layers.slice(-1);
  assert.ok(layer);
  reader.push(gunzipSync(await readAll(layer)));
  reader.end();
  return names;
}

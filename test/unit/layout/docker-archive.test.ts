import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type Header, pack } from "tar-stream";
import { openArchive } from "../../../src/layout/archive.ts";
import { dockerArchiveSink, dockerArchiveSource } from "../../../src/layout/docker-archive.ts";
import { readAll } from "../../../src/oci/content.ts";
import { digestOf, hexOf } from "../../../src/oci/digest.ts";
import type { Image } from "../../../src/oci/image.ts";
import { failsWith } from "../../support/errors.ts";
import { ARM64, send, smallImage, tarOf } from "../../support/images/small-image.ts";
import { pathsIn, temporaryDirectory } from "../../support/trees.ts";

const directory = temporaryDirectory();
let count = 0;
const fresh = (name = "image.tar"): string => join(directory, `${++count}`, name);

async function archiveOf(image: Image, tags: readonly string[], path = fresh()): Promise<string> {
  const sink = dockerArchiveSink(path);
  await send(image, sink, tags);
  await sink.close();
  return path;
}

const pull = (path: string, tag?: string) => dockerArchiveSource(path).pull(tag, undefined);

async function listed(path: string) {
  const archive = await openArchive(path);
  return JSON.parse(Buffer.from(await archive.document("manifest.json")).toString());
}

type ForeignHeader = Partial<Header> & Pick<Header, "name">;

/** A tar of these entries, as another tool might write it. */
async function foreign(
  entries: readonly (readonly [ForeignHeader, (Uint8Array | string)?])[],
): Promise<string> {
  const archive = pack();
  for (const [header, bytes] of entries) archive.entry(header, Buffer.from(bytes ?? ""));
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  const path = join(directory, `foreign-${++count}.tar`);
  writeFileSync(path, Buffer.concat(chunks));
  return path;
}

const deps = await tarOf({ "var/task/lib.txt": "library" });
const app = await tarOf({ "var/task/app.txt": "app" });
const config = JSON.stringify({
  os: "linux",
  architecture: "arm64",
  rootfs: { type: "layers", diff_ids: [digestOf(deps), digestOf(app), digestOf(deps)] },
});

const listing = (...layers: readonly string[]) =>
  JSON.stringify([{ Config: "config.json", RepoTags: ["app:v1"], Layers: layers }]);

describe("an archive for docker load", () => {
  it("gives back the config and the layers of the image", async () => {
    const image = await smallImage();
    const found = await pull(await archiveOf(image, ["v1"]), "v1");
    assert.equal(found.config.descriptor.digest, image.config.descriptor.digest);
    assert.deepEqual(
      found.layers.map(({ descriptor, diffId }) => [descriptor.digest, diffId]),
      image.layers.map(({ descriptor, diffId }) => [descriptor.digest, diffId]),
    );
    for (const layer of found.layers) await readAll(layer);
  });

  it("an archive for docker load is of Docker's media types, whatever the image was", async () => {
    const { family, layers } = await pull(await archiveOf(await smallImage({ family: "oci" }), ["v1"]));
    assert.equal(family, "docker");
    assert.equal(layers[0]?.descriptor.mediaType, "application/vnd.docker.image.rootfs.diff.tar.gzip");
  });

  it("names layers and config by their digests", async () => {
    const image = await smallImage();
    const [entry] = await listed(await archiveOf(image, ["v1"]));
    assert.equal(entry.Config, `${hexOf(image.config.descriptor.digest)}.json`);
    assert.deepEqual(
      entry.Layers,
      image.layers.map(({ descriptor }) => `${hexOf(descriptor.digest)}.tar.gz`),
    );
  });

  it("makes of a tag a name by the name of the file", async () => {
    const [entry] = await listed(await archiveOf(await smallImage(), ["v1"], fresh("My App_1.tar")));
    assert.deepEqual(entry.RepoTags, ["my-app_1:v1"]);
  });

  it("takes a tag with a colon or a slash as the whole name", async () => {
    const tags = ["shop/app:v1", "localhost:5000/shop/app:v2", "shop/app"];
    const [entry] = await listed(await archiveOf(await smallImage(), tags));
    assert.deepEqual(entry.RepoTags, ["shop/app:v1", "localhost:5000/shop/app:v2", "shop/app:latest"]);
  });

  it("an archive for docker load has the same bytes in whatever order its blobs came", async () => {
    const image = await smallImage();
    const reversed = { ...image, layers: [...image.layers].reverse() };
    const [one, two] = [await archiveOf(image, ["v1"]), await archiveOf(reversed, ["v1"])];
    assert.deepEqual(readFileSync(one), readFileSync(two));
  });

  it("leaves nothing when it is closed without being published", async () => {
    const path = await archiveOf(await smallImage(), ["v1"]);
    const sink = dockerArchiveSink(join(path, "..", "other.tar"));
    await sink.put((await smallImage()).config);
    await sink.close();
    assert.deepEqual(pathsIn(join(path, "..")), ["image.tar"]);
  });
});

describe("what docker save and others write", () => {
  it("what docker save and others write is read in the old form: tars in directories, a repeated layer as a link", async () => {
    const path = await foreign([
      [{ name: "aaa/", type: "directory" }],
      [{ name: "aaa/layer.tar" }, deps],
      [{ name: "bbb/layer.tar" }, app],
      [{ name: "ccc/layer.tar", type: "symlink", linkname: "../aaa/layer.tar" }],
      [{ name: "config.json" }, config],
      [{ name: "manifest.json" }, listing("aaa/layer.tar", "bbb/layer.tar", "ccc/layer.tar")],
    ]);
    const { layers } = await pull(path, "app:v1");
    assert.deepEqual(
      layers.map(({ descriptor }) => descriptor),
      [deps, app, deps].map((tar) => ({
        mediaType: "application/vnd.docker.image.rootfs.diff.tar",
        digest: digestOf(tar),
        size: tar.length,
      })),
    );
    for (const layer of layers) await readAll(layer);
  });

  it("what docker save and others write is read in the new form, an OCI layout with a manifest.json", async () => {
    const image = await smallImage();
    const blobs = [image.config, ...image.layers];
    const name = ({ descriptor }: (typeof blobs)[number]) => `blobs/sha256/${hexOf(descriptor.digest)}`;
    const files = await Promise.all(
      blobs.map(async (blob) => [{ name: name(blob) }, await readAll(blob)] as const),
    );
    const entry = { Config: name(image.config), RepoTags: null, Layers: image.layers.map(name) };
    const path = await foreign([...files, [{ name: "manifest.json" }, JSON.stringify([entry])]]);
    const found = await pull(path);
    assert.equal(found.config.descriptor.digest, image.config.descriptor.digest);
    for (const layer of found.layers) await readAll(layer);
  });

  it("what docker save and others write is read with keys of manifest.json in lower case, as docker load reads them", async () => {
    const path = await foreign([
      [{ name: "layer.tar" }, deps],
      [{ name: "app.tar" }, app],
      [{ name: "config.json" }, config],
      [
        { name: "manifest.json" },
        JSON.stringify([
          { config: "config.json", repoTags: ["app:v1"], layers: ["layer.tar", "app.tar", "layer.tar"] },
        ]),
      ],
    ]);
    const { layers } = await pull(path, "app:v1");
    assert.deepEqual(
      layers.map(({ descriptor }) => descriptor.digest),
      [deps, app, deps].map((tar) => digestOf(tar)),
    );
  });

  it("what docker save and others write is read with null for its tags", async () => {
    const path = await foreign([
      [{ name: "layer.tar" }, deps],
      [{ name: "app.tar" }, app],
      [{ name: "config.json" }, config],
      [
        { name: "manifest.json" },
        JSON.stringify([
          { Config: "config.json", RepoTags: null, Layers: ["layer.tar", "app.tar", "layer.tar"] },
        ]),
      ],
    ]);
    assert.equal((await pull(path)).layers.length, 3);
  });

  it("what docker save and others write is read with ./ before the names and hard links", async () => {
    const path = await foreign([
      [{ name: "./manifest.json" }, listing("deps.tar", "app.tar", "again.tar")],
      [{ name: "./config.json" }, config],
      [{ name: "./deps.tar" }, deps],
      [{ name: "./app.tar" }, app],
      [{ name: "./again.tar", type: "link", linkname: "./deps.tar" }],
    ]);
    for (const layer of (await pull(path)).layers) await readAll(layer);
  });

  it("what docker save and others write is read for its own platform only", async () => {
    const path = await foreign([
      [{ name: "config.json" }, config],
      [{ name: "l.tar" }, deps],
      [{ name: "m.tar" }, app],
      [{ name: "manifest.json" }, listing("l.tar", "m.tar", "l.tar")],
    ]);
    assert.equal((await dockerArchiveSource(path).pull(undefined, ARM64)).layers.length, 3);
    const amd64 = { os: "linux", architecture: "amd64" };
    await assert.rejects(dockerArchiveSource(path).pull(undefined, amd64), failsWith("PLATFORM_NOT_FOUND"));
  });

  it("what docker save and others write is found by tag among several images, which an error lists", async () => {
    const images = ["v1", "v2"].map((tag) => ({
      Config: "config.json",
      RepoTags: [`app:${tag}`],
      Layers: ["l.tar", "m.tar", "l.tar"],
    }));
    const path = await foreign([
      [{ name: "config.json" }, config],
      [{ name: "l.tar" }, deps],
      [{ name: "m.tar" }, app],
      [{ name: "manifest.json" }, JSON.stringify(images)],
    ]);
    assert.equal((await pull(path, "v2")).layers.length, 3);
    await assert.rejects(pull(path), failsWith("IMAGE_NOT_FOUND", /app:v1, app:v2/));
    await assert.rejects(pull(path, "v3"), failsWith("IMAGE_NOT_FOUND", /v3.*app:v1, app:v2/));
  });
});

describe("an archive that docker load would refuse", () => {
  const manifest = listing("l.tar", "l.tar", "l.tar");
  const cases: Readonly<
    Record<
      string,
      readonly [
        code: "LAYOUT_INVALID" | "IMAGE_INVALID" | "IMAGE_UNSUPPORTED",
        words: RegExp,
        entries: Parameters<typeof foreign>[0],
      ]
    >
  > = {
    "has no manifest.json": ["LAYOUT_INVALID", /no file manifest\.json/, [[{ name: "config.json" }, config]]],
    "has a manifest.json that is not a list": [
      "LAYOUT_INVALID",
      /manifest\.json should be an array/,
      [[{ name: "manifest.json" }, "{}"]],
    ],
    "has an entry without config": [
      "LAYOUT_INVALID",
      /Config should be a string/,
      [[{ name: "manifest.json" }, "[{}]"]],
    ],
    "lacks its config": ["LAYOUT_INVALID", /no file config\.json/, [[{ name: "manifest.json" }, manifest]]],
    "lacks a layer": [
      "LAYOUT_INVALID",
      /no layer l\.tar/,
      [
        [{ name: "config.json" }, config],
        [{ name: "manifest.json" }, manifest],
      ],
    ],
    "has a layer that links in a circle": [
      "LAYOUT_INVALID",
      /no layer l\.tar/,
      [
        [{ name: "config.json" }, config],
        [{ name: "manifest.json" }, manifest],
        [{ name: "l.tar", type: "symlink", linkname: "l.tar" }],
      ],
    ],
    "has fewer layers than its config": [
      "IMAGE_INVALID",
      /1 layers but the config has 3/,
      [
        [{ name: "config.json" }, config],
        [{ name: "manifest.json" }, listing("l.tar")],
        [{ name: "l.tar" }, deps],
      ],
    ],
    "has a layer of zstd": [
      "IMAGE_UNSUPPORTED",
      /tar\.zstd/,
      [
        [{ name: "config.json" }, config],
        [{ name: "manifest.json" }, manifest],
        [{ name: "l.tar" }, Buffer.from("28b52ffd00", "hex")],
      ],
    ],
  };
  for (const [name, [code, words, entries]] of Object.entries(cases)) {
    it(`an archive that docker load would refuse is refused when it ${name}`, async () => {
      await assert.rejects(pull(await foreign(entries)), failsWith(code, words));
    });
  }

  it("names the diffId of a tar that has other bytes", async () => {
    const path = await foreign([
      [{ name: "config.json" }, config],
      [{ name: "manifest.json" }, listing("l.tar", "l.tar", "l.tar")],
      [{ name: "l.tar" }, deps],
    ]);
    const [, second] = (await pull(path)).layers;
    assert.ok(second);
    await assert.rejects(readAll(second), failsWith("CONTENT_MISMATCH", new RegExp(digestOf(app))));
  });
});

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { hasCode } from "../../../src/errors.ts";
import { ociArchiveSink, ociArchiveSource } from "../../../src/layout/oci-archive.ts";
import { compose, emptyImage } from "../../../src/oci/compose.ts";
import { readAll } from "../../../src/oci/content.ts";
import { hexOf } from "../../../src/oci/digest.ts";
import { failsWith } from "../../support/errors.ts";
import { AMD64, ARM64, layerOf, send, smallImage, tarOf } from "../../support/images/small-image.ts";
import { pathsIn, temporaryDirectory } from "../../support/trees.ts";

const temporary = temporaryDirectory();
let count = 0;
const fresh = (): string => join(temporary, `${++count}`, "image.tar");

async function archiveOf(text: string, tags: readonly string[] = ["v1"]): Promise<string> {
  const path = fresh();
  const sink = ociArchiveSink(path);
  await send(await smallImage({ text }), sink, tags);
  await sink.close();
  return path;
}

const pull = (path: string, tag?: string) => ociArchiveSource(path).pull(tag, undefined);

/** Changes one bit of the first place where these bytes are. */
function flip(path: string, found: Uint8Array | string): void {
  const bytes = readFileSync(path);
  const at = bytes.indexOf(found);
  assert.ok(at > 0);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

/** Cut within a member or a header it is not an archive; cut between members it lacks a blob. */
function isDamage(error: unknown): boolean {
  return hasCode(error, "LAYOUT_INVALID", "CONTENT_MISMATCH");
}

describe("an OCI archive", () => {
  it("gives back the image that was published", async () => {
    const image = await pull(await archiveOf("one"), "v1");
    const { manifest, layers } = await smallImage({ text: "one" });
    assert.deepEqual(image.manifest.descriptor, manifest.descriptor);
    for (const [index, layer] of image.layers.entries()) {
      assert.deepEqual(await readAll(layer), await readAll(layers[index] ?? layer));
    }
  });

  it("gives its only image by default, and any by digest", async () => {
    const path = await archiveOf("one", ["v1", "v2"]);
    const { digest } = (await pull(path)).manifest.descriptor;
    assert.equal((await pull(path, digest)).manifest.descriptor.digest, digest);
  });

  it("reads a layer from the middle", async () => {
    const { layers } = await pull(await archiveOf("one"));
    const [layer] = layers;
    assert.ok(layer);
    const tail: Uint8Array[] = [];
    for await (const chunk of layer.read(7)) tail.push(chunk);
    assert.deepEqual(Buffer.concat(tail), Buffer.from(await readAll(layer)).subarray(7));
  });

  it("an OCI archive has the same bytes in whatever order its blobs came", async () => {
    const { config, layers, manifest } = await smallImage();
    const orders = [[config, ...layers], [...layers, config].reverse()];
    const archives: Buffer[] = [];
    for (const contents of orders) {
      const path = fresh();
      const sink = ociArchiveSink(path);
      for (const content of contents) await sink.put(content);
      await sink.publish(manifest, ["v1"]);
      await sink.close();
      archives.push(readFileSync(path));
    }
    assert.deepEqual(archives[0], archives[1]);
  });

  it("an OCI archive has a layer once that the image has twice", async () => {
    const layer = await layerOf({ "twice.txt": "twice" });
    const twice = [
      { name: "one", layer },
      { name: "two", layer },
    ];
    const image = compose(emptyImage(AMD64, "oci"), { layers: twice, created: new Date(0) });
    const path = fresh();
    const sink = ociArchiveSink(path);
    await send(image, sink, []);
    await sink.close();
    const name = `blobs/sha256/${hexOf(layer.descriptor.digest)}`;
    assert.equal(readFileSync(path, "latin1").split(name).length, 2);
    assert.equal((await pull(path)).layers.length, 2);
  });

  it("replaces the file that was there, and leaves nothing beside it", async () => {
    const path = await archiveOf("one");
    const sink = ociArchiveSink(path);
    await send(await smallImage({ text: "two" }), sink, ["v2"]);
    await sink.close();
    assert.equal((await pull(path, "v2")).layers.length, 2);
    assert.deepEqual(pathsIn(join(path, "..")), ["image.tar"]);
  });

  it("an OCI archive is refused for another platform", async () => {
    const path = await archiveOf("one");
    await assert.rejects(ociArchiveSource(path).pull("v1", ARM64), failsWith("PLATFORM_NOT_FOUND"));
    assert.equal((await ociArchiveSource(path).pull("v1", AMD64)).layers.length, 2);
  });
});

describe("an OCI archive after a failure", () => {
  it("an OCI archive after a failure is what it was before, with nothing beside it", async () => {
    const path = await archiveOf("one");
    const before = readFileSync(path);
    const sink = ociArchiveSink(path);
    await sink.put((await smallImage({ text: "two" })).config);
    await sink.close();
    assert.deepEqual(readFileSync(path), before);
    assert.deepEqual(pathsIn(join(path, "..")), ["image.tar"]);
  });

  it("an OCI archive after a failure is not there when it was not, nor the directories made for it", async () => {
    const path = join(temporary, "new", "deeper", "image.tar");
    const sink = ociArchiveSink(path);
    await sink.put((await smallImage()).config);
    await sink.close();
    assert.equal(existsSync(join(temporary, "new")), false);
  });

  it("an OCI archive after a failure is not written without all blobs of its image", async () => {
    const { config, manifest } = await smallImage();
    const path = fresh();
    const sink = ociArchiveSink(path);
    await sink.put(config);
    await assert.rejects(
      sink.publish(manifest, ["v1"]),
      failsWith("IMAGE_INVALID", /is not in oci-archive:/),
    );
    await sink.close();
    assert.equal(existsSync(path), false);
  });

  it("says where it could not be written", async () => {
    const file = join(temporary, "a-file");
    writeFileSync(file, "");
    const sink = ociArchiveSink(join(file, "image.tar"));
    await assert.rejects(sink.put((await smallImage()).config), failsWith("WRITE_FAILED", /a-file/));
    await sink.close();
  });
});

describe("an OCI archive where a directory is", () => {
  it("an OCI archive where a directory is is refused at once, and the directory keeps what it holds", async () => {
    const directory = join(temporary, "photos");
    mkdirSync(directory);
    writeFileSync(join(directory, "photo.jpg"), "irreplaceable");
    const sink = ociArchiveSink(directory);
    await assert.rejects(
      sink.put((await smallImage()).config),
      failsWith("WRITE_FAILED", /photos: it is a directory/),
    );
    await sink.close();
    assert.deepEqual(pathsIn(directory), ["photo.jpg"]);
  });
});

describe("an OCI archive that is missing or broken", () => {
  it("an OCI archive that is missing or broken is not found", async () => {
    await assert.rejects(pull(join(temporary, "no.tar")), failsWith("IMAGE_NOT_FOUND", /no\.tar/));
  });

  it("an OCI archive that is missing or broken is not a directory", async () => {
    const directory = join(temporary, "directory.tar");
    mkdirSync(directory);
    await assert.rejects(pull(directory), failsWith("LAYOUT_INVALID", /is not a file/));
  });

  it("an OCI archive that is missing or broken is not gzip, and the hint says so", async () => {
    const path = await archiveOf("one");
    writeFileSync(path, gzipSync(readFileSync(path)));
    await assert.rejects(pull(path), failsWith("LAYOUT_INVALID", /is not a tar archive/));
  });

  it("an OCI archive that is missing or broken is not an empty file", async () => {
    const path = await archiveOf("one");
    truncateSync(path, 0);
    await assert.rejects(pull(path), failsWith("LAYOUT_INVALID", /is not a tar archive/));
  });

  it("an OCI archive that is missing or broken is no other tar", async () => {
    const path = join(temporary, "other.tar");
    writeFileSync(path, await tarOf({ "a.txt": "a" }));
    await assert.rejects(pull(path), failsWith("LAYOUT_INVALID", /no file oci-layout/));
  });

  it("an OCI archive that is missing or broken is refused at every length at which it has lost something", async () => {
    const path = await archiveOf("one");
    const whole = readFileSync(path);
    for (let length = 700; length < whole.length - 2048; length += 389) {
      writeFileSync(path, whole.subarray(0, length));
      const readWhole = async () => {
        for (const layer of (await pull(path)).layers) await readAll(layer);
      };
      await assert.rejects(readWhole, isDamage, `${length} of ${whole.length} bytes`);
    }
  });

  it("names the digest of a blob that was changed", async () => {
    const path = await archiveOf("one");
    const { layers } = await pull(path);
    const [layer] = layers;
    assert.ok(layer);
    flip(path, await readAll(layer));
    await assert.rejects(readAll(layer), failsWith("CONTENT_MISMATCH", new RegExp(layer.descriptor.digest)));
  });

  it("says at which byte a header was changed", async () => {
    const path = await archiveOf("one");
    flip(path, "index.json");
    await assert.rejects(pull(path), failsWith("LAYOUT_INVALID", /damaged.*at byte 1024/));
  });

  it("names the digest of a blob that is missing", async () => {
    const path = fresh();
    const whole = await archiveOf("one");
    const { config } = await smallImage({ text: "one" });
    const hex = hexOf(config.descriptor.digest);
    const bytes = readFileSync(whole);
    const header = bytes.indexOf(`blobs/sha256/${hex}`);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, Buffer.concat([bytes.subarray(0, header), bytes.subarray(header + 1024)]));
    await assert.rejects(pull(path), failsWith("CONTENT_MISMATCH", new RegExp(hex)));
  });
});

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openLayout } from "../../../src/layout/directory.ts";
import { contentOf, readAll } from "../../../src/oci/content.ts";
import { hexOf } from "../../../src/oci/digest.ts";
import { MEDIA_TYPES } from "../../../src/oci/media-types.ts";
import { failsWith } from "../../support/errors.ts";
import { AMD64, ARM64, digestOfTag, fillLayout, send, smallImage } from "../../support/images/small-image.ts";
import { pathsIn, temporaryDirectory } from "../../support/trees.ts";

const directory = temporaryDirectory();
let count = 0;
const fresh = (): string => join(directory, `layout-${++count}`);

/** A new layout that holds these images, by their tags. */
async function layoutWith(images: Readonly<Record<string, string>>): Promise<string> {
  const directory = fresh();
  await fillLayout(directory, images);
  return directory;
}

function indexOf(directory: string) {
  return JSON.parse(readFileSync(join(directory, "index.json"), "utf8"));
}

describe("a layout directory as source", () => {
  it("gives an image by tag, by digest, and the only one by default", async () => {
    const directory = await layoutWith({ v1: "one" });
    const { digest } = (await smallImage({ text: "one" })).manifest.descriptor;
    assert.equal(await digestOfTag(directory, "v1"), digest);
    assert.equal(await digestOfTag(directory, digest), digest);
    assert.equal(await digestOfTag(directory), digest);
  });

  it("gives layers whose bytes are local files, from any offset", async () => {
    const directory = await layoutWith({ v1: "one" });
    const image = await openLayout(directory).pull("v1", undefined);
    const [layer] = (await smallImage({ text: "one" })).layers;
    const [found] = image.layers;
    assert.ok(layer && found);
    assert.ok(found.file?.startsWith(directory));
    const whole = Buffer.from(await readAll(layer));
    const tail: Uint8Array[] = [];
    for await (const chunk of found.read(10)) tail.push(chunk);
    assert.deepEqual(Buffer.concat(tail), whole.subarray(10));
  });

  it("lists the tags when there are several images and none is named", async () => {
    const directory = await layoutWith({ v1: "one", v2: "two" });
    await assert.rejects(
      digestOfTag(directory),
      failsWith("IMAGE_NOT_FOUND", /several images; it holds v1, v2/),
    );
  });

  it("takes two tags of one image for one image", async () => {
    const directory = await layoutWith({ v1: "one", v2: "one" });
    assert.equal(await digestOfTag(directory), await digestOfTag(directory, "v2"));
  });

  it("lists the tags when the one asked for is not there", async () => {
    const directory = await layoutWith({ v1: "one" });
    await assert.rejects(
      digestOfTag(directory, "v2"),
      failsWith("IMAGE_NOT_FOUND", /no image v2; it holds v1/),
    );
  });

  it("takes the child for the platform from an index that its index lists", async () => {
    const directory = await layoutWith({ "": "one" });
    const sink = openLayout(directory);
    const arm = await smallImage({ platform: ARM64 });
    await send(arm, sink, []);
    const { manifests } = indexOf(directory);
    const nested = contentOf(
      MEDIA_TYPES.oci.index,
      Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.oci.index, manifests })),
    );
    await sink.put(nested);
    const index = { schemaVersion: 2, manifests: [nested.descriptor] };
    writeFileSync(join(directory, "index.json"), JSON.stringify(index));
    const image = await openLayout(directory).pull(undefined, ARM64);
    assert.equal(image.manifest.descriptor.digest, arm.manifest.descriptor.digest);
  });

  it("takes one tag on several platforms for an index", async () => {
    const directory = await layoutWith({ v1: "one" });
    const arm = await smallImage({ platform: ARM64 });
    await send(arm, openLayout(directory), ["arm"]);
    const index = readFileSync(join(directory, "index.json"), "utf8").replace('"arm"', '"v1"');
    writeFileSync(join(directory, "index.json"), index);
    const image = await openLayout(directory).pull("v1", ARM64);
    assert.equal(image.manifest.descriptor.digest, arm.manifest.descriptor.digest);
  });

  it("takes an image of Docker's media types", async () => {
    const directory = fresh();
    const image = await smallImage({ family: "docker" });
    await send(image, openLayout(directory), ["v1"]);
    assert.equal((await openLayout(directory).pull("v1", AMD64)).family, "docker");
  });

  it("follows blobs that are links, as Bazel makes them", async () => {
    const directory = await layoutWith({ v1: "one" });
    const blobs = join(directory, "blobs", "sha256");
    const [name = ""] = pathsIn(blobs);
    writeFileSync(join(directory, "elsewhere"), readFileSync(join(blobs, name)));
    rmSync(join(blobs, name));
    symlinkSync(join("..", "..", "elsewhere"), join(blobs, name));
    const image = await openLayout(directory).pull("v1", undefined);
    for (const layer of image.layers) await readAll(layer);
  });
});

describe("a layout directory as sink", () => {
  it("keeps the images that it has", async () => {
    const directory = await layoutWith({ v1: "one", v2: "two" });
    assert.notEqual(await digestOfTag(directory, "v1"), await digestOfTag(directory, "v2"));
  });

  it("keeps what others wrote into its index", async () => {
    const directory = await layoutWith({ v1: "one" });
    const index = indexOf(directory);
    index.annotations = { theirs: "kept" };
    index.manifests[0].artifactType = "theirs";
    writeFileSync(join(directory, "index.json"), JSON.stringify(index));
    await send(await smallImage(), openLayout(directory), ["v2"]);
    assert.equal(indexOf(directory).annotations.theirs, "kept");
    assert.equal(indexOf(directory).manifests[0].artifactType, "theirs");
  });

  it("moves a tag", async () => {
    const directory = await layoutWith({ v1: "one" });
    const second = await smallImage({ text: "two" });
    await send(second, openLayout(directory), ["v1"]);
    assert.equal(await digestOfTag(directory, "v1"), second.manifest.descriptor.digest);
    assert.equal(indexOf(directory).manifests.length, 1);
  });

  it("lists an image without tags by its digest, once", async () => {
    const directory = await layoutWith({ "": "one" });
    await send(await smallImage({ text: "one" }), openLayout(directory), []);
    assert.equal(indexOf(directory).manifests.length, 1);
  });

  it("gives an entry its tag when it had none", async () => {
    const directory = await layoutWith({ "": "one", v1: "one" });
    assert.equal(indexOf(directory).manifests.length, 1);
    assert.equal(await digestOfTag(directory), await digestOfTag(directory, "v1"));
  });

  it("says the platform in the index", async () => {
    const directory = fresh();
    await send(await smallImage({ platform: ARM64 }), openLayout(directory), ["v1"]);
    assert.deepEqual(indexOf(directory).manifests[0].platform, { architecture: "arm64", os: "linux" });
  });

  it("a layout directory as sink has only the file, the index and the blobs in it afterwards", async () => {
    const directory = await layoutWith({ v1: "one" });
    const names = pathsIn(directory).filter((path) => !/[0-9a-f]{64}$/.test(path));
    assert.deepEqual(names, ["blobs", join("blobs", "sha256"), "index.json", "oci-layout"]);
  });

  it("a layout directory as sink has a blob only when a regular file of its size is there", async () => {
    const directory = await layoutWith({ v1: "one" });
    const { config } = await smallImage({ text: "one" });
    const path = join(directory, "blobs", "sha256", hexOf(config.descriptor.digest));
    assert.equal(await openLayout(directory).has(config.descriptor), true);
    truncateSync(path, 3);
    assert.equal(await openLayout(directory).has(config.descriptor), false);
    rmSync(path);
    mkdirSync(path);
    assert.equal(await openLayout(directory).has(config.descriptor), false);
  });

  it("replaces a directory that stands where a blob belongs", async () => {
    const directory = await layoutWith({ v1: "one" });
    const { config } = await smallImage({ text: "one" });
    const path = join(directory, "blobs", "sha256", hexOf(config.descriptor.digest));
    rmSync(path);
    mkdirSync(path);
    await openLayout(directory).put(config);
    assert.equal(await openLayout(directory).has(config.descriptor), true);
  });

  it("knows what is published already", async () => {
    const directory = await layoutWith({ v1: "one" });
    const image = await smallImage({ text: "one" });
    const { descriptor } = image.manifest;
    assert.equal(await openLayout(directory).isPublished(descriptor, ["v1"]), true);
    assert.equal(await openLayout(directory).isPublished(descriptor, []), true);
    assert.equal(await openLayout(directory).isPublished(descriptor, ["v1", "v2"]), false);
    assert.equal(await openLayout(fresh()).isPublished(descriptor, []), false);
  });

  it("a layout directory as sink does not call an image published of which a blob is lost", async () => {
    const directory = await layoutWith({ v1: "one" });
    const image = await smallImage({ text: "one" });
    rmSync(join(directory, "blobs", "sha256", hexOf(image.config.descriptor.digest)));
    assert.equal(await openLayout(directory).isPublished(image.manifest.descriptor, ["v1"]), false);
  });

  it("publishes nothing that it does not hold whole", async () => {
    const directory = await layoutWith({ v1: "one" });
    const image = await smallImage({ text: "two" });
    const sink = openLayout(directory);
    await sink.put(image.config);
    await assert.rejects(sink.publish(image.manifest, ["v2"]), failsWith("IMAGE_INVALID", /is not in oci:/));
    assert.equal(indexOf(directory).manifests.length, 1);
  });

  it("refuses a directory that holds something else, and leaves it as it is", async () => {
    const directory = fresh();
    mkdirSync(directory);
    writeFileSync(join(directory, "thesis.txt"), "years of work");
    const sink = openLayout(directory);
    await assert.rejects(sink.put((await smallImage()).config), failsWith("LAYOUT_INVALID", /thesis\.txt/));
    await sink.close();
    assert.deepEqual(pathsIn(directory), ["thesis.txt"]);
  });

  it("says where it could not write", async () => {
    const file = join(directory, "a-file");
    writeFileSync(file, "");
    const sink = openLayout(join(file, "layout"));
    await assert.rejects(sink.put((await smallImage()).config), failsWith("WRITE_FAILED", /a-file.*ENOTDIR/));
    await sink.close();
  });
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openLayout } from "../../../src/layout/directory.ts";
import { readAll } from "../../../src/oci/content.ts";
import { hexOf } from "../../../src/oci/digest.ts";
import { failsWith } from "../../support/errors.ts";
import { digestOfTag, fillLayout, send, smallImage } from "../../support/images/small-image.ts";
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

describe("a layout directory that is missing or broken", () => {
  it("a layout directory that is missing or broken is not found when there is no directory", async () => {
    await assert.rejects(digestOfTag(join(directory, "missing")), failsWith("IMAGE_NOT_FOUND", /missing/));
  });

  it("a layout directory that is missing or broken is not a layout without the file oci-layout", async () => {
    const directory = fresh();
    mkdirSync(directory);
    await assert.rejects(digestOfTag(directory), failsWith("LAYOUT_INVALID", /no file oci-layout/));
  });

  const broken: Readonly<Record<string, readonly [file: string, text: string, words: RegExp]>> = {
    "a version that is not known": ["oci-layout", '{"imageLayoutVersion":"2.0.0"}', /version "2.0.0"/],
    "an oci-layout that is not JSON": ["oci-layout", "1.0.0\n}", /oci-layout is broken/],
    "an empty index": ["index.json", "", /index\.json is broken.*not JSON/],
    "an index that is a manifest": ["index.json", '{"schemaVersion":2,"layers":[]}', /index\.json/],
    "an entry without a digest": [
      "index.json",
      '{"schemaVersion":2,"manifests":[{"size":1}]}',
      /manifests\[0\]/,
    ],
    "an index of 5 MiB": ["index.json", " ".repeat(5 * 1024 * 1024), /more than the 4194304 bytes/],
  };
  for (const [name, [file, text, words]] of Object.entries(broken)) {
    it(`a layout directory that is missing or broken is refused with ${name}`, async () => {
      const directory = await layoutWith({ v1: "one" });
      writeFileSync(join(directory, file), text);
      await assert.rejects(digestOfTag(directory), failsWith("LAYOUT_INVALID", words));
    });
  }

  it("a layout directory that is missing or broken is refused without index.json", async () => {
    const directory = await layoutWith({ v1: "one" });
    rmSync(join(directory, "index.json"));
    await assert.rejects(digestOfTag(directory), failsWith("LAYOUT_INVALID", /no index\.json/));
  });

  it("a layout directory that is missing or broken is not written to when its index is broken, and keeps it", async () => {
    const directory = await layoutWith({ v1: "one" });
    writeFileSync(join(directory, "index.json"), "{");
    const sink = openLayout(directory);
    await assert.rejects(send(await smallImage(), sink, ["v2"]), failsWith("LAYOUT_INVALID", /index\.json/));
    await sink.close();
    assert.equal(readFileSync(join(directory, "index.json"), "utf8"), "{");
  });

  const spoil: Readonly<Record<string, (path: string) => void>> = {
    missing: (path) => rmSync(path),
    truncated: (path) => truncateSync(path, 5),
    empty: (path) => truncateSync(path, 0),
    flipped: (path) => {
      const bytes = readFileSync(path);
      bytes[20] = (bytes[20] ?? 0) ^ 1;
      writeFileSync(path, bytes);
    },
    "a byte too long": (path) => writeFileSync(path, "!", { flag: "a" }),
    "a directory": (path) => {
      rmSync(path);
      mkdirSync(path);
    },
    "a pipe that nobody writes to": (path) => {
      rmSync(path);
      execFileSync("mkfifo", [path]);
    },
  };
  for (const [how, damage] of Object.entries(spoil)) {
    it(`names the digest of a layer that is ${how}`, async () => {
      const directory = await layoutWith({ v1: "one" });
      const { layers } = await openLayout(directory).pull("v1", undefined);
      const [layer] = layers;
      assert.ok(layer);
      const hex = hexOf(layer.descriptor.digest);
      damage(join(directory, "blobs", "sha256", hex));
      await assert.rejects(readAll(layer), failsWith("CONTENT_MISMATCH", new RegExp(hex)));
    });

    it(`names the digest of a manifest that is ${how}`, async () => {
      const directory = await layoutWith({ v1: "one" });
      const hex = hexOf(await digestOfTag(directory));
      damage(join(directory, "blobs", "sha256", hex));
      await assert.rejects(digestOfTag(directory), failsWith("CONTENT_MISMATCH", new RegExp(hex)));
    });
  }
});

describe("a layout directory after a failure", () => {
  it("a layout directory after a failure is gone when it was made for it, with the directories above it", async () => {
    const { config, layers } = await smallImage();
    const wrong = {
      ...config,
      descriptor: { ...config.descriptor, digest: layers[0]?.descriptor.digest ?? config.descriptor.digest },
    };
    const sink = openLayout(join(directory, "new", "deeper", "layout"));
    await sink.put(config);
    await assert.rejects(sink.put(wrong), failsWith("CONTENT_MISMATCH"));
    await sink.close();
    assert.equal(existsSync(join(directory, "new")), false);
  });

  it("a layout directory after a failure is empty again when it was empty", async () => {
    const directory = fresh();
    mkdirSync(directory);
    const sink = openLayout(directory);
    await sink.put((await smallImage()).config);
    await sink.close();
    assert.deepEqual(pathsIn(directory), []);
  });

  it("holds its images still, and nothing half-written", async () => {
    const directory = await layoutWith({ v1: "one" });
    const before = pathsIn(directory);
    const { config } = await smallImage({ text: "two" });
    const cut = {
      ...config,
      async *read() {
        yield Buffer.from("{");
        throw new Error("the line is cut");
      },
    };
    const sink = openLayout(directory);
    await assert.rejects(sink.put(cut), /the line is cut/);
    await sink.close();
    assert.deepEqual(pathsIn(directory), before);
  });

  it("holds nothing half-written when the signal stops it", async () => {
    const directory = await layoutWith({ v1: "one" });
    const before = pathsIn(directory);
    const { config } = await smallImage({ text: "two" });
    const stop = new AbortController();
    const sink = openLayout(directory);
    const onBytes = () => stop.abort(new Error("stopped"));
    await assert.rejects(sink.put(config, { signal: stop.signal, onBytes }), /stopped/);
    await sink.close();
    assert.deepEqual(pathsIn(directory), before);
  });
});

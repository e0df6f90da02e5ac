import assert from "node:assert/strict";
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { openCache } from "../../../src/cache/cache.ts";
import { readAll } from "../../../src/oci/content.ts";
import { digestOf, hexOf } from "../../../src/oci/digest.ts";
import { contentFrom } from "../../support/images/random-content.ts";
import { layerOf } from "../../support/images/small-image.ts";
import { temporaryDirectory } from "../../support/trees.ts";

/** Linux sets file times by a clock that moves this often at least. */
const FILE_TIME_STEP_MS = 10;

const temporary = temporaryDirectory();
let count = 0;

const content = contentFrom("content");
const other = contentFrom("other");
const { digest, size } = content.descriptor;

function flip(path: string): void {
  const bytes = readFileSync(path);
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

/** What may have happened to the file of a blob, given where it and another blob's are. */
const damages: Readonly<Record<string, (path: string, other: string) => void>> = {
  "a flipped bit": flip,
  "a flipped bit, and the old time": (path) => {
    const { atime, mtime } = statSync(path);
    flip(path);
    utimesSync(path, atime, mtime);
  },
  "its end cut off": (path) => truncateSync(path, size - 1),
  "nothing in it": (path) => truncateSync(path, 0),
  "a byte too many": (path) => writeFileSync(path, "!", { flag: "a" }),
  "another's bytes": (path, otherPath) => {
    const aside = `${path}.aside`;
    renameSync(path, aside);
    renameSync(otherPath, path);
    renameSync(aside, otherPath);
  },
  "a directory in its place": (path) => {
    rmSync(path);
    mkdirSync(join(path, "deeper"), { recursive: true });
  },
  "a link to nowhere in its place": (path) => {
    rmSync(path);
    symlinkSync("/nowhere", path);
  },
  "nothing in its place": (path) => rmSync(path),
};

async function filled(): Promise<string> {
  const directory = join(temporary, `cache-${++count}`);
  const cache = await openCache({ directory });
  await cache.keep(content);
  await cache.keep(other);
  await cache.close();
  return directory;
}

function blobPath(directory: string, name = digest): string {
  return join(directory, "blobs", "sha256", hexOf(name));
}

describe("a cached blob that has", () => {
  for (const [what, damage] of Object.entries(damages)) {
    it(`${what} is not found, is removed, and is kept again whole`, async () => {
      const directory = await filled();
      damage(blobPath(directory), blobPath(directory, other.descriptor.digest));
      const cache = await openCache({ directory });
      assert.equal(await cache.find(digest, size), undefined);
      assert.equal(readdirSync(join(directory, "blobs", "sha256")).includes(hexOf(digest)), false);
      await readAll(await cache.keep(content));
      await cache.close();
    });

    it(`${what} is noticed by the process that has checked it before`, async () => {
      const directory = await filled();
      const cache = await openCache({ directory });
      assert.ok(await cache.find(digest, size));
      await setTimeout(FILE_TIME_STEP_MS);
      damage(blobPath(directory), blobPath(directory, other.descriptor.digest));
      assert.equal(await cache.find(digest, size), undefined);
      await cache.close();
    });

    it(`${what} makes way for what the spool writes`, async () => {
      const directory = await filled();
      damage(blobPath(directory), blobPath(directory, other.descriptor.digest));
      const cache = await openCache({ directory });
      await readAll(await cache.spool.write("text/plain", content.read()));
      await cache.close();
    });

    it(`${what} is removed by verify, which names it`, async () => {
      const directory = await filled();
      const path = blobPath(directory);
      damage(path, blobPath(directory, other.descriptor.digest));
      const isThere = readdirSync(join(directory, "blobs", "sha256")).includes(hexOf(digest));
      const cache = await openCache({ directory });
      assert.equal((await cache.verify()).removed.includes(path), isThere);
      assert.deepEqual((await cache.verify()).removed, []);
      await cache.close();
    });
  }
});

describe("a cached blob", () => {
  it("stays when it is asked for with a wrong size", async () => {
    const directory = await filled();
    const cache = await openCache({ directory });
    assert.equal(await cache.find(digest, size - 1), undefined);
    assert.ok(await cache.find(digest, size));
    await cache.close();
  });

  it("a cached blob is not read again to be found again", async () => {
    const directory = await filled();
    const cache = await openCache({ directory });
    await cache.find(digest, size);
    const { atimeMs } = statSync(blobPath(directory));
    const before = process.resourceUsage().fsRead;
    for (let round = 0; round < 1000; round++) assert.ok(await cache.find(digest, size));
    assert.equal(statSync(blobPath(directory)).atimeMs, atimeMs);
    assert.equal(process.resourceUsage().fsRead, before);
    await cache.close();
  });
});

describe("a remembered layer", () => {
  const fingerprint = digestOf("fingerprint");

  async function remembering() {
    const directory = join(temporary, `cache-${++count}`);
    const cache = await openCache({ directory });
    const layer = await layerOf({ "a.txt": "a" });
    await cache.keep(layer);
    for (const key of [fingerprint, digestOf("another")])
      await cache.rememberLayer(key, layer, { files: 1, bytes: 5 });
    await cache.rememberManifest("app:v1", contentFrom("manifest"));
    await cache.close();
    return { directory, layers: join(directory, "layers") };
  }

  const spoil: Readonly<Record<string, (directory: string) => void>> = {
    "its end cut off": (layers) => eachOf(layers, (path) => truncateSync(path, 100)),
    "nothing in it": (layers) => eachOf(layers, (path) => truncateSync(path, 0)),
    "a directory in its place": (layers) =>
      eachOf(layers, (path) => {
        rmSync(path);
        mkdirSync(path);
      }),
    "a record of another version, which lacks a field": (layers) =>
      eachOf(layers, (path) => {
        const [, line = ""] = readFileSync(path, "utf8").split("\n");
        const { key, value } = JSON.parse(line) as { key: string; value: { descriptor: unknown } };
        const old = JSON.stringify({ key, value: { descriptor: value.descriptor } });
        writeFileSync(path, `${digestOf(old)}\n${old}\n`);
      }),
    "another's name": (layers) => {
      const [one = "", two = ""] = readdirSync(layers).map((name) => join(layers, name));
      copyFileSync(one, `${one}.aside`);
      renameSync(two, one);
      renameSync(`${one}.aside`, two);
    },
  };

  function eachOf(layers: string, damage: (path: string) => void): void {
    for (const name of readdirSync(layers)) damage(join(layers, name));
  }

  for (const [what, damage] of Object.entries(spoil)) {
    it(`with ${what} is forgotten`, async () => {
      const { directory, layers } = await remembering();
      damage(layers);
      const cache = await openCache({ directory });
      assert.equal(await cache.findLayer(fingerprint), undefined);
      await cache.close();
    });
  }

  it("with any bit flipped is forgotten, never another layer", async () => {
    const { directory, layers } = await remembering();
    const cache = await openCache({ directory });
    const [name = ""] = readdirSync(layers);
    const whole = readFileSync(join(layers, name));
    for (let at = 0; at < whole.length; at += 7) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(join(layers, name), bytes);
      await Promise.all([fingerprint, digestOf("another")].map((key) => cache.findLayer(key)));
      assert.equal(readdirSync(layers).includes(name), false, `byte ${at}`);
    }
    await cache.close();
  });

  it("a remembered layer is reported by verify when it is damaged", async () => {
    const { directory, layers } = await remembering();
    const [name = ""] = readdirSync(layers);
    flip(join(layers, name));
    const cache = await openCache({ directory });
    assert.deepEqual((await cache.verify()).removed, [join(layers, name)]);
    await cache.close();
  });
});

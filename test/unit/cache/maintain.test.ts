import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { type Cache, openCache } from "../../../src/cache/cache.ts";
import { digestOf, hexOf } from "../../../src/oci/digest.ts";
import { contentFrom } from "../../support/images/random-content.ts";
import { layerOf } from "../../support/images/small-image.ts";
import { pathsIn, temporaryDirectory } from "../../support/trees.ts";
import { DEAD_PID, leftBy, leftIn } from "../../support/unfinished-files.ts";

const temporary = temporaryDirectory();
let count = 0;

const SIZE = 1000;
const SEEDS = ["a", "b", "c", "d"];

/** A cache with four blobs of 1000 bytes, the first used longest ago. */
async function filled(): Promise<string> {
  const directory = join(temporary, `cache-${++count}`);
  const cache = await openCache({ directory });
  for (const seed of SEEDS) await cache.keep(contentFrom(seed, SIZE));
  await cache.close();
  for (const [index, seed] of SEEDS.entries()) use(directory, seed, new Date(2024, 0, 1 + index));
  return directory;
}

function use(directory: string, seed: string, time: Date): void {
  utimesSync(pathOf(directory, seed), time, time);
}

function pathOf(directory: string, seed: string): string {
  return join(directory, "blobs", "sha256", hexOf(contentFrom(seed, SIZE).descriptor.digest));
}

const held = (directory: string) => SEEDS.filter((seed) => existsSync(pathOf(directory, seed)));

const find = (cache: Cache, seed: string) => cache.find(contentFrom(seed, SIZE).descriptor.digest, SIZE);

async function prune(directory: string, maxBytes: number) {
  const cache = await openCache({ directory });
  const report = await cache.prune(maxBytes);
  await cache.close();
  return report;
}

describe("pruning a cache", () => {
  it("removes what was used longest ago, until the rest fits", async () => {
    const directory = await filled();
    assert.deepEqual(await prune(directory, 2500), { removed: 2, freedBytes: 2000, blobs: 2, bytes: 2000 });
    assert.deepEqual(held(directory), ["c", "d"]);
  });

  it("removes nothing that fits", async () => {
    const directory = await filled();
    assert.deepEqual(await prune(directory, 4000), { removed: 0, freedBytes: 0, blobs: 4, bytes: 4000 });
  });

  it("takes finding for using", async () => {
    const directory = await filled();
    const cache = await openCache({ directory });
    assert.ok(await find(cache, "a"));
    await cache.close();
    await prune(directory, 1000);
    assert.deepEqual(held(directory), ["a"]);
  });

  it("pruning a cache leaves a layer that another open process has found, before its bytes are read", async () => {
    const directory = await filled();
    const content = contentFrom("a", SIZE);
    const { digest } = content.descriptor;
    const first = await openCache({ directory });
    await first.rememberLayer(digest, { ...content, diffId: digest }, { files: 1, bytes: SIZE });
    await first.close();
    use(directory, "a", new Date(2024, 0, 1));
    const other = await openCache({ directory });
    assert.ok(await other.findLayer(digest));
    await prune(directory, 0);
    assert.deepEqual(held(directory), ["a"]);
    await other.close();
  });

  it("leaves what another open process has used, whatever the limit", async () => {
    const directory = await filled();
    const other = await openCache({ directory });
    assert.ok(await find(other, "b"));
    await prune(directory, 0);
    assert.deepEqual(held(directory), ["b"]);
    await other.close();
    await setTimeout(20);
    await prune(directory, 0);
    assert.deepEqual(held(directory), []);
  });

  it("leaves what was used in the millisecond in which the other process opened it", async () => {
    const directory = await filled();
    for (let round = 0; round < 300; round++) {
      const other = await openCache({ directory });
      assert.ok(await find(other, "b"), `round ${round}`);
      await prune(directory, 0);
      assert.deepEqual(held(directory), ["b"], `round ${round}`);
      await other.close();
      use(directory, "b", new Date(2024, 0, 1));
    }
  });

  it("pruning a cache does not wait for a process that was killed", async () => {
    const directory = await filled();
    const left = join(directory, leftBy(DEAD_PID, ".session"));
    writeFileSync(left, "");
    utimesSync(left, new Date(2023, 0, 1), new Date(2023, 0, 1));
    await prune(directory, 0);
    assert.deepEqual(held(directory), []);
    assert.equal(existsSync(left), false);
  });

  it("forgets layers whose bytes are gone, and no others", async () => {
    const directory = await filled();
    const cache = await openCache({ directory });
    const layer = await layerOf({ "a.txt": "a" });
    await cache.keep(layer);
    await cache.rememberLayer(digestOf("kept"), layer, { files: 1, bytes: 1 });
    const gone = { ...layer, ...contentFrom("a", SIZE) };
    await cache.rememberLayer(digestOf("gone"), gone, { files: 1, bytes: 1 });
    await cache.prune(0);
    assert.equal((await cache.info()).layers, 1);
    assert.ok(await cache.findLayer(digestOf("kept")));
    await cache.close();
  });

  it("happens at the end of a process that added something", async () => {
    const directory = await filled();
    const reading = await openCache({ directory, maxBytes: 2000 });
    await reading.close();
    assert.equal(held(directory).length, 4);
    const adding = await openCache({ directory, maxBytes: 2000 });
    await adding.keep(contentFrom("new", SIZE));
    await adding.close();
    assert.deepEqual(held(directory), ["d"]);
  });
});

describe("opening a cache", () => {
  it("removes what killed processes left, and nothing of living ones", async () => {
    const directory = await filled();
    const stems = [".blob", ".file", ".session"];
    for (const stem of stems) {
      writeFileSync(join(directory, leftBy(DEAD_PID, stem)), "half");
      writeFileSync(join(directory, leftBy(process.ppid, stem)), "half");
    }
    await (await openCache({ directory })).close();
    const left = pathsIn(directory).filter((path) => path.endsWith(".partial"));
    assert.deepEqual(left, stems.map((stem) => leftBy(process.ppid, stem)).sort());
  });

  it("removes what another machine left after a day", async () => {
    const directory = await filled();
    const name = leftIn("00000000", DEAD_PID, ".blob");
    writeFileSync(join(directory, name), "half");
    await (await openCache({ directory })).close();
    assert.equal(existsSync(join(directory, name)), true);
    const yesterday = new Date(Date.now() - 25 * 3600 * 1000);
    utimesSync(join(directory, name), yesterday, yesterday);
    await (await openCache({ directory })).close();
    assert.equal(existsSync(join(directory, name)), false);
  });
});

describe("a cache that is opened with a wrong clock, two days ahead,", () => {
  const start = async (t: TestContext) => {
    const directory = await filled();
    const names = [".blob", ".session"].map((stem) => leftIn("00000000", DEAD_PID, stem));
    for (const name of names) writeFileSync(join(directory, name), "half");
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 48 * 3600 * 1000 });
    return { directory, names };
  };
  const partials = (directory: string) => pathsIn(directory).filter((path) => path.endsWith(".partial"));

  it("keeps what processes of other machines are writing", async (t) => {
    const { directory, names } = await start(t);
    await (await openCache({ directory })).close();
    assert.deepEqual(partials(directory), names);
  });

  it("still counts their sessions, so that prune leaves what they use", async (t) => {
    const { directory, names } = await start(t);
    use(directory, "a", new Date());
    await prune(directory, 0);
    assert.deepEqual(held(directory), ["a"]);
    assert.deepEqual(partials(directory), names);
  });
});

describe("a report on a cache", () => {
  it("says what it holds", async () => {
    const directory = await filled();
    const cache = await openCache({ directory });
    await cache.rememberManifest("app:v1", contentFrom("a", SIZE));
    assert.deepEqual(await cache.info(), { directory, blobs: 4, bytes: 4000, layers: 0, references: 1 });
    await cache.close();
  });

  it("says after verifying what is whole, and names what was not", async () => {
    const directory = await filled();
    writeFileSync(pathOf(directory, "a"), "damaged");
    mkdirSync(join(directory, "blobs", "sha256", "strange"));
    const cache = await openCache({ directory });
    const { blobs, bytes, removed } = await cache.verify();
    assert.deepEqual([blobs, bytes], [3, 3000]);
    assert.deepEqual(
      [...removed].sort(),
      [pathOf(directory, "a"), join(directory, "blobs", "sha256", "strange")].sort(),
    );
    assert.equal(readdirSync(join(directory, "blobs", "sha256")).length, 3);
    await cache.close();
  });
});

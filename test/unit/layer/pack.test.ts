import assert from "node:assert/strict";
import { chmodSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { collect } from "../../../src/layer/collect.ts";
import { pack, recompress } from "../../../src/layer/pack.ts";
import { split } from "../../../src/layer/split.ts";
import { contentOf } from "../../../src/oci/content.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import type { Spool } from "../../../src/oci/store.ts";
import { run, TYPESCRIPT } from "../../support/run.ts";
import {
  addTree,
  bytesOf,
  makeTree,
  memorySpool,
  noise,
  type Tree,
  temporaryDirectory,
} from "../../support/trees.ts";

const options = { spool: memorySpool, level: 4, mtime: new Date(0), mediaType: "application/gzip" };
const script = fileURLToPath(new URL("../../support/processes/layer-digest.ts", import.meta.url));

async function packed(directory: string, more: Partial<typeof options> = {}) {
  const [group] = split(await collect({ directory, target: "/var/task" }));
  return pack(group?.entries ?? [], { ...options, ...more });
}

const APP: Tree = {
  "app.py": "def handler(event, context): pass\n",
  "run.sh": { file: "#!/bin/sh\n", mode: 0o755 },
  "data/large.bin": noise(2_500_000),
  "data/words.txt": "words ".repeat(500_000),
  "data/caf\u00e9": "",
  link: { link: "app.py" },
  empty: null,
  "node_modules/a/index.js": "",
  "node_modules/b/index.js": "module.exports = 1",
};

describe("packing", () => {
  it("gives a layer whose digest, size and diffId are those of its bytes", async () => {
    const layer = await packed(makeTree({ a: "content" }));
    const bytes = await bytesOf(layer.read());
    const { digest, size, mediaType } = layer.descriptor;
    assert.deepEqual([digest, size, mediaType], [digestOf(bytes), bytes.length, "application/gzip"]);
    assert.equal(layer.diffId, digestOf(gunzipSync(bytes)));
  });

  it("tells how far it is", async () => {
    const seen: number[] = [];
    const onBytes = (bytes: number) => void seen.push(bytes);
    const [group] = split(await collect({ directory: makeTree({ a: "12", b: "345" }), target: "/" }));
    await pack(group?.entries ?? [], { ...options, onBytes });
    assert.deepEqual(seen, [2, 5]);
  });

  it("lets the error of the spool through", async () => {
    const spool: Spool = { write: () => Promise.reject(new Error("disk full")) };
    await assert.rejects(packed(makeTree({ a: "" }), { spool }), /disk full/);
  });

  it("ends the spool's writing with the reason when a file cannot be read", async () => {
    const directory = makeTree({ a: "1" });
    const [group] = split(await collect({ directory, target: "/" }));
    addTree(directory, { a: "grown" });
    await assert.rejects(pack(group?.entries ?? [], options), { code: "FILE_CHANGED" });
  });
});

describe("the same files", () => {
  const environments = [
    { TZ: "UTC", UV_THREADPOOL_SIZE: "1", LC_ALL: "C" },
    { TZ: "Pacific/Chatham", UV_THREADPOOL_SIZE: "8", LC_ALL: "C.UTF-8" },
  ];
  const umasks = [0o022, 0o077];

  /** The tree in its order or the other way round, at other times and with other rights for group and others. */
  function make(index: number): string {
    const before = process.umask(umasks[index] ?? 0);
    const directory = temporaryDirectory();
    const leaves = Object.entries(APP);
    addTree(directory, Object.fromEntries(index === 0 ? leaves : leaves.toReversed()));
    process.umask(before);
    for (const [path, leaf] of leaves) {
      if (typeof leaf === "string") utimesSync(join(directory, path), 1e9 + index, 1e9 + index);
    }
    chmodSync(join(directory, "run.sh"), index === 0 ? 0o755 : 0o700);
    return directory;
  }

  it("give the same digests whatever directory, order, umask, times, time zone, locale and number of threads", async () => {
    const [one, other] = await Promise.all(
      environments.map((env, index) => run(process.execPath, [...TYPESCRIPT, script, make(index)], { env })),
    );
    assert.match(one ?? "", /^deps sha256:\S+ (sha256:\S+) \1 zlib\napp sha256:\S+ (sha256:\S+) \2 zlib\n$/);
    assert.equal(one, other);
  });

  for (const [what, change] of [
    ["content", { "app.py": "def handler(event, context): return 1\n" }],
    ["the right to execute", { "run.sh": { file: "#!/bin/sh\n", mode: 0o644 } }],
    ["a link's target", { link: { link: "run.sh" } }],
    ["an empty directory", { empty: "" }],
  ] as const) {
    it(`give another digest when ${what} differs`, async () => {
      const small = { "app.py": "", "run.sh": APP["run.sh"] ?? "", link: APP["link"] ?? "", empty: null };
      const before = await packed(makeTree(small));
      const after = await packed(makeTree({ ...small, ...change }));
      assert.notEqual(after.diffId, before.diffId);
    });
  }

  it("give another digest at another time", async () => {
    const directory = makeTree({ a: "" });
    const [zero, later] = [await packed(directory), await packed(directory, { mtime: new Date(1000) })];
    assert.notEqual(zero.diffId, later.diffId);
  });

  it("give the same diffId at every level", async () => {
    const directory = makeTree({ a: "words ".repeat(10_000) });
    const ids = new Set<string>();
    for (const level of [1, 4, 9]) ids.add((await packed(directory, { level })).diffId);
    assert.equal(ids.size, 1);
  });
});

describe("an uncompressed layer", () => {
  const tar = Buffer.from("a tar's bytes ".repeat(1000));

  it("becomes a gzip layer with its digest as diffId", async () => {
    const layer = await recompress(contentOf("application/x-tar", tar), options);
    assert.equal(layer.diffId, digestOf(tar));
    assert.ok(gunzipSync(await bytesOf(layer.read())).equals(tar));
    assert.equal(layer.descriptor.mediaType, "application/gzip");
  });

  it("an uncompressed layer is refused when its bytes are not those it promises", async () => {
    const content = {
      ...contentOf("application/x-tar", tar),
      read: contentOf("", Buffer.from("other")).read,
    };
    await assert.rejects(recompress(content, options), { code: "CONTENT_MISMATCH" });
  });
});

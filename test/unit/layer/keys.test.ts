import assert from "node:assert/strict";
import { chmodSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type CollectOptions, collect } from "../../../src/layer/collect.ts";
import { contentKey, diffIdOf, statKey } from "../../../src/layer/keys.ts";
import { pack } from "../../../src/layer/pack.ts";
import { type Group, split } from "../../../src/layer/split.ts";
import type { Entry } from "../../../src/tar/entry.ts";
import { makeTree, memorySpool, noise, type Tree } from "../../support/trees.ts";

const MTIME = new Date(1000);
const TREE: Tree = {
  "app.py": "def handler(event, context): return event\n",
  "run.sh": { file: "#!/bin/sh\n", mode: 0o755 },
  "data/large.bin": noise(600_000),
  "data/empty": "",
  "data/directory": null,
  link: { link: "data/large.bin" },
};
/** Long after everything was written. */
const LATER = Date.now() + 3_600_000;

async function groupOf(directory: string, more: Partial<CollectOptions> = {}): Promise<Group> {
  const [group] = split(await collect({ directory, target: "/var/task", ...more }));
  return group ?? assert.fail();
}

async function entriesOf(directory: string, more: Partial<CollectOptions> = {}): Promise<readonly Entry[]> {
  return [...(await groupOf(directory, more)).entries];
}

async function contentKeyOf(
  directory: string,
  { level = 4, mtime = MTIME, target = "/var/task" } = {},
): Promise<string> {
  return contentKey(await diffIdOf(await entriesOf(directory, { target }), { mtime }), level);
}

async function statKeyOf(directory: string, { level = 4, mtime = MTIME, seenAt = LATER } = {}) {
  return statKey((await groupOf(directory)).entries, { level, mtime, scannedAtMs: seenAt });
}

/** Everything that changes the layer. */
const changes: Readonly<Record<string, (root: string) => void>> = {
  "a byte of a file": (root) =>
    writeFileSync(join(root, "app.py"), "def handler(event, context): return Event\n"),
  "the last byte of a large file": (root) =>
    writeFileSync(join(root, "data/large.bin"), Buffer.concat([noise(600_000).subarray(1), Buffer.of(7)])),
  "a file's name": (root) => renameSync(join(root, "app.py"), join(root, "App.py")),
  "a file's mode": (root) => chmodSync(join(root, "run.sh"), 0o644),
  "a link's target": (root) => {
    rmSync(join(root, "link"));
    addLink(root);
  },
  "that a file is there": (root) => rmSync(join(root, "data/empty")),
  "that an empty directory is there": (root) => rmSync(join(root, "data/directory"), { recursive: true }),
};

function addLink(root: string): void {
  renameSync(join(makeTree({ link: { link: "data/empty" } }), "link"), join(root, "link"));
}

describe("contentKey", () => {
  it("contentKey is the same for the same files in another directory, with other times and rights of others", async () => {
    const other = makeTree(TREE);
    utimesSync(join(other, "app.py"), 1, 1);
    chmodSync(join(other, "run.sh"), 0o700);
    assert.equal(await contentKeyOf(other), await contentKeyOf(makeTree(TREE)));
  });

  it("contentKey is known before packing and after", async () => {
    const entries = await entriesOf(makeTree(TREE));
    const layer = await pack(entries, {
      spool: memorySpool,
      level: 4,
      mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
      mtime: MTIME,
    });
    assert.equal(await diffIdOf(entries, { mtime: MTIME }), layer.diffId);
  });

  for (const [what, change] of Object.entries(changes)) {
    it(`contentKey tells ${what}`, async () => {
      const root = makeTree(TREE);
      const before = await contentKeyOf(root);
      change(root);
      assert.notEqual(await contentKeyOf(root), before);
    });
  }

  it("contentKey tells the level, the time and the place in the image", async () => {
    const root = makeTree(TREE);
    const all = await Promise.all([
      contentKeyOf(root),
      contentKeyOf(root, { level: 6 }),
      contentKeyOf(root, { mtime: new Date(2000) }),
      contentKeyOf(root, { target: "/opt" }),
    ]);
    assert.equal(new Set(all).size, all.length);
  });
});

describe("statKey", () => {
  it("statKey stays while nothing is touched, and reads no file", async () => {
    const root = makeTree(TREE);
    const before = await statKeyOf(root);
    assert.ok(before);
    chmodSync(join(root, "data/large.bin"), 0o000);
    chmodSync(join(root, "data/large.bin"), 0o644);
    const group = await groupOf(root);
    rmSync(join(root, "app.py"));
    assert.ok(statKey(group.entries, { level: 4, mtime: MTIME, scannedAtMs: LATER }));
  });

  for (const [what, change] of Object.entries(changes)) {
    it(`statKey tells ${what}`, async () => {
      const root = makeTree(TREE);
      const before = await statKeyOf(root);
      change(root);
      assert.notEqual(await statKeyOf(root), before);
    });
  }

  it("statKey tells other bytes of the same length under the old time", async () => {
    const root = makeTree(TREE);
    const path = join(root, "app.py");
    const before = await statKeyOf(root);
    const { atime, mtime } = statSync(path);
    writeFileSync(path, "def handler(event, context): return Event\n");
    utimesSync(path, atime, mtime);
    assert.notEqual(await statKeyOf(root), before);
  });

  it("statKey tells a file that took another's place with its time", async () => {
    const root = makeTree(TREE);
    const path = join(root, "app.py");
    const before = await statKeyOf(root);
    const { atime, mtime } = statSync(path);
    writeFileSync(`${path}.new`, "def handler(event, context): return Event\n");
    utimesSync(`${path}.new`, atime, mtime);
    renameSync(`${path}.new`, path);
    assert.notEqual(await statKeyOf(root), before);
  });

  it("statKey tells the level and the time of the entries", async () => {
    const root = makeTree(TREE);
    const all = await Promise.all([
      statKeyOf(root),
      statKeyOf(root, { level: 6 }),
      statKeyOf(root, { mtime: new Date(2000) }),
    ]);
    assert.equal(new Set(all).size, all.length);
  });

  it("statKey is none while a write could still hide in the file's time", async () => {
    const root = makeTree(TREE);
    const { ctimeMs } = statSync(join(root, "app.py"));
    assert.equal(await statKeyOf(root, { seenAt: ctimeMs + 1000 }), undefined);
    assert.ok(await statKeyOf(root, { seenAt: ctimeMs + 60_000 }));
  });

  it("statKey is none for a file from the future", async () => {
    const root = makeTree(TREE);
    utimesSync(join(root, "app.py"), LATER / 1000 + 60, LATER / 1000 + 60);
    assert.equal(await statKeyOf(root), undefined);
  });
});

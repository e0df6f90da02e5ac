import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type CollectOptions, collect } from "../../../src/layer/collect.ts";
import { statKey } from "../../../src/layer/keys.ts";
import { split } from "../../../src/layer/split.ts";
import { makeTree, type Tree } from "../../support/trees.ts";

const TREE: Tree = {
  "app.py": "def handler(event, context): return event\n",
  "run.sh": { file: "#!/bin/sh\n", mode: 0o755 },
  "data/empty": "",
  "data/directory": null,
  link: { link: "data/empty" },
};
/** Long after everything was written. */
const LATER = Date.now() + 3_600_000;

async function state(directory: string, more: Partial<CollectOptions> = {}, seenAt = LATER) {
  const collection = await collect({ directory, target: "/var/task", ...more });
  const [group] = split(collection);
  return statKey(group?.entries ?? [], { level: 4, mtime: new Date(0), scannedAtMs: seenAt });
}

const changes: Readonly<Record<string, (root: string) => void>> = {
  "a byte of a file under its old time": (root) => {
    const path = join(root, "app.py");
    const { atime, mtime } = statSync(path);
    writeFileSync(path, "def handler(event, context): return Event\n");
    utimesSync(path, atime, mtime);
  },
  "another file in a file's place with its time": (root) => {
    const path = join(root, "app.py");
    const { atime, mtime } = statSync(path);
    writeFileSync(`${path}.new`, "def handler(event, context): return Event\n");
    utimesSync(`${path}.new`, atime, mtime);
    renameSync(`${path}.new`, path);
  },
  "a file's size": (root) => writeFileSync(join(root, "app.py"), "1"),
  "a file's name": (root) => renameSync(join(root, "app.py"), join(root, "bpp.py")),
  "a file's mode": (root) => chmodSync(join(root, "run.sh"), 0o644),
  "the directory of a file": (root) => renameSync(join(root, "app.py"), join(root, "data/app.py")),
  "a link's target": (root) => {
    rmSync(join(root, "link"));
    symlinkSync("data/directory", join(root, "link"));
  },
  "that a file is there": (root) => rmSync(join(root, "data/empty")),
  "that another file is there": (root) => writeFileSync(join(root, "data/other"), ""),
  "that an empty directory is there": (root) => rmSync(join(root, "data/directory"), { recursive: true }),
};

describe("statKey of a collection", () => {
  it("statKey stays while nothing is touched", async () => {
    const root = makeTree(TREE);
    const before = await state(root);
    assert.ok(before);
    assert.equal(await state(root), before);
  });

  for (const [what, change] of Object.entries(changes)) {
    it(`statKey tells ${what}`, async () => {
      const root = makeTree(TREE);
      const before = await state(root);
      change(root);
      assert.notEqual(await state(root), before);
    });
  }

  const options: Readonly<Record<string, Partial<CollectOptions>>> = {
    "where the files go": { target: "/opt" },
    "what is left out": { exclude: ["data"] },
    "the modes of directories": { directoryModes: new Map([["var", 0o700]]) },
  };
  for (const [what, more] of Object.entries(options)) {
    it(`statKey tells ${what}`, async () => {
      const root = makeTree(TREE);
      assert.notEqual(await state(root, more), await state(root));
    });
  }

  it("statKey is each layer's own: it stays while only another layer's files and directories change", async () => {
    const root = makeTree({
      "app.js": "1",
      "node_modules/b/index.js": "1",
      "node_modules/b/link": { link: "index.js" },
    });
    const states = async () => {
      const groups = split(await collect({ directory: root, target: "/var/task" }));
      return new Map(
        groups.map((group) => [
          group.name,
          statKey(group.entries, { level: 4, mtime: new Date(0), scannedAtMs: LATER }) ?? assert.fail(),
        ]),
      );
    };
    const before = await states();
    mkdirSync(join(root, "a"));
    writeFileSync(join(root, "a/first.js"), "");
    const after = await states();
    assert.equal(after.get("deps"), before.get("deps"));
    assert.notEqual(after.get("app"), before.get("app"));
    rmSync(join(root, "node_modules/b/link"));
    symlinkSync("other.js", join(root, "node_modules/b/link"));
    assert.notEqual((await states()).get("deps"), before.get("deps"));
  });

  it("statKey is none while a write could still hide in a file's time", async () => {
    const root = makeTree(TREE);
    const { ctimeMs } = statSync(join(root, "app.py"));
    assert.equal(await state(root, {}, ctimeMs + 1000), undefined);
    assert.ok(await state(root, {}, ctimeMs + 60_000));
  });

  it("statKey is none for a file from the future", async () => {
    const root = makeTree(TREE);
    utimesSync(join(root, "app.py"), LATER / 1000 + 60, LATER / 1000 + 60);
    assert.equal(await state(root), undefined);
  });
});

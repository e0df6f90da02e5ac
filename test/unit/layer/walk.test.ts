import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { LambdaPackError } from "../../../src/errors.ts";
import { collect } from "../../../src/layer/collect.ts";
import { tar } from "../../../src/layer/encode/tar.ts";
import { compileIgnore } from "../../../src/layer/ignore/ignore.ts";
import { descriptorPaths } from "../../../src/layer/open-directory.ts";
import { type Found, walk } from "../../../src/layer/walk.ts";
import { bytesOf, makeTree } from "../../support/trees.ts";

/** What lies outside the source, in a directory that looks like the one inside. */
const SECRET = "outside";
const outside = () => makeTree({ "a.txt": SECRET, "b.txt": SECRET, "inner/c.txt": SECRET });
const source = () => makeTree({ "z/a.txt": "inside", "z/b.txt": "inside", "z/inner/c.txt": "inside" });

/** Puts a link to `target` where the directory was. */
function swap(directory: string, target: string): void {
  renameSync(directory, `${directory}.moved`);
  symlinkSync(target, directory);
}

/** All that a walk finds while `directory` is swapped for a link right after `path` is found. */
function walkWhile(descriptors: string | undefined, path: string): readonly Found[] {
  const root = source();
  const all: Found[] = [];
  const options = {
    ignore: compileIgnore([]),
    isAlwaysExcluded: (one: string) => one.endsWith(".moved"),
    descriptors,
  };
  for (const found of walk(root, options)) {
    all.push(found);
    if (found.path === path) swap(join(root, "z"), outside());
  }
  return all;
}

const WAYS: Readonly<Record<string, string | undefined>> = {
  "through descriptors": descriptorPaths(),
  "by paths": undefined,
};

for (const [way, descriptors] of Object.entries(WAYS)) {
  const skip = way === "through descriptors" && descriptors === undefined ? "this system has none" : false;

  describe(`a walk ${way}, while a directory is replaced by a link to one outside`, { skip }, () => {
    it("refuses the directory when it is replaced between being found and being listed", () => {
      assert.throws(() => walkWhile(descriptors, "z"), {
        code: "FILE_CHANGED",
        message: /\/z changed while it was packed: it was replaced/,
      });
    });

    it("refuses a directory whose parent is replaced between being found and being listed", () => {
      assert.throws(() => walkWhile(descriptors, "z/inner"), {
        code: "FILE_CHANGED",
        message: /\/z(?:\/inner)? changed while it was packed: it was replaced/,
      });
    });
  });
}

describe("a walk through descriptors", { skip: descriptorPaths() === undefined }, () => {
  it("goes on in the directory that it opened when a link takes its place", () => {
    const root = makeTree({ "z/a.txt": "inside", "z/b.txt": "inside" });
    const options = { ignore: compileIgnore([]), isAlwaysExcluded: () => false };
    const sizes: number[] = [];
    let swapped = false;
    for (const { path, stats } of walk(root, options)) {
      if (!path.startsWith("z/")) continue;
      if (!swapped) swap(join(root, "z"), outside());
      swapped = true;
      sizes.push(stats.size);
    }
    assert.deepEqual(sizes, ["inside".length, "inside".length]);
  });
});

describe("a file on another device", () => {
  it("a file on another device is refused when it is packed, though its inode is the one that was found", async () => {
    const { files } = await collect({ directory: makeTree({ "a.txt": "inside" }), target: "/" });
    const entries = [...files].map(({ entry }) => {
      assert.ok(entry.kind === "file" && entry.version);
      return { ...entry, version: { ...entry.version, device: entry.version.device + 1 } };
    });
    await assert.rejects(bytesOf(tar(entries, { mtime: new Date(0) })), {
      code: "FILE_CHANGED",
      message: /a\.txt changed while it was packed: it was replaced/,
    });
  });
});

describe("a race", { skip: process.platform !== "linux" }, () => {
  it("in which a directory is replaced over and over never packs a file from outside", async () => {
    const root = source();
    const script = `
      const { renameSync, symlinkSync, unlinkSync } = require("node:fs");
      const [, z, target] = process.argv;
      for (;;) {
        renameSync(z, z + ".moved");
        symlinkSync(target, z);
        unlinkSync(z);
        renameSync(z + ".moved", z);
      }`;
    const swapper = spawn(process.execPath, ["-e", script, join(root, "z"), outside()], { stdio: "ignore" });
    try {
      for (const end = Date.now() + 3000; Date.now() < end; ) {
        const bytes = await pack(root);
        assert.equal(bytes?.includes(SECRET) ?? false, false);
      }
    } finally {
      swapper.kill("SIGKILL");
    }
  });
});

/** The tar of a directory; undefined if it changed meanwhile. */
async function pack(directory: string): Promise<Buffer | undefined> {
  try {
    const { files } = await collect({ directory, target: "/" });
    return await bytesOf(
      tar(
        [...files].map(({ entry }) => entry),
        { mtime: new Date(0) },
      ),
    );
  } catch (error) {
    if (error instanceof LambdaPackError && error.code === "FILE_CHANGED") return undefined;
    throw error;
  }
}

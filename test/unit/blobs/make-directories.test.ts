import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { makeDirectories } from "../../../src/blobs/disk.ts";
import { temporaryDirectory } from "../../support/trees.ts";

describe("makeDirectories", () => {
  it("makes the parents too and returns the topmost directory that it made", () => {
    const root = temporaryDirectory();
    assert.equal(makeDirectories(join(root, "a/b/c"), 0o700), join(root, "a"));
    assert.equal(statSync(join(root, "a/b/c")).mode & 0o777, 0o700);
    assert.equal(makeDirectories(join(root, "a/b"), 0o700), undefined);
  });

  it("fails for a path below a file", () => {
    const file = join(temporaryDirectory(), "file");
    writeFileSync(file, "");
    assert.throws(() => makeDirectories(join(file, "a"), 0o700), {
      code: "WRITE_FAILED",
      message: /ENOTDIR/,
    });
    assert.throws(() => makeDirectories(file, 0o700), { code: "WRITE_FAILED", message: /EEXIST/ });
  });

  it("fails for a path below /proc, where Node's own call never returns", {
    skip: process.platform !== "linux",
  }, () => {
    assert.throws(() => makeDirectories("/proc/lambda-pack/cache", 0o700), {
      code: "WRITE_FAILED",
      message: /ENOENT/,
    });
  });
});

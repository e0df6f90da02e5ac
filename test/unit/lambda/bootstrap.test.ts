import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { placeBootstrap } from "../../../src/lambda/handler/executable.ts";
import type { Collection, SourceFile } from "../../../src/layer/collect.ts";
import { split } from "../../../src/layer/split.ts";

function collectionOf(files: readonly SourceFile[]): Collection {
  return { files, count: files.length, bytes: 0, warnings: [], distributions: [], directoryModes: new Map() };
}

function fileOf(path: string): SourceFile {
  return {
    path,
    entry: { kind: "file", path: `var/task/${path}`, mode: 0o644, size: 1, source: `/app/${path}` },
  };
}

describe("the app's bootstrap", () => {
  it("goes where Lambda starts it, executable, with its directories before it", () => {
    const [group] = split(placeBootstrap(collectionOf([fileOf("bootstrap"), fileOf("function.sh")])));
    const placed = [...(group?.entries ?? [])].map(({ path, ...entry }) => [
      path,
      "mode" in entry ? entry.mode : 0,
    ]);
    assert.deepEqual(placed, [
      ["var", 0o755],
      ["var/runtime", 0o755],
      ["var/runtime/bootstrap", 0o755],
      ["var/task", 0o755],
      ["var/task/function.sh", 0o644],
    ]);
  });

  it("the app's bootstrap is only the one in the root", () => {
    const files = collectionOf([fileOf("bin/bootstrap")]);
    assert.deepEqual(placeBootstrap(files), files);
  });

  it("that is a link is refused", () => {
    const link: SourceFile = {
      path: "bootstrap",
      entry: { kind: "symlink", path: "var/task/bootstrap", target: "bin/app" },
    };
    assert.throws(() => placeBootstrap(collectionOf([link])), {
      code: "HANDLER_NOT_FOUND",
      message: /is a symlink/,
    });
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { byFolder } from "../../../src/layer/by-folder.ts";

describe("by folder", () => {
  it("gives each path what is said of its folder, the root's as the empty text", () => {
    const folderOf = byFolder((folder) => folder);
    const paths = ["a", "b/c", "b/d/e", "b/f", "bb/c", "b", "bb/c/d"];
    assert.deepEqual(paths.map(folderOf), ["", "b", "b/d", "b", "bb", "", "bb/c"]);
  });

  it("asks once for paths of one folder that follow each other", () => {
    const asked: string[] = [];
    const judge = byFolder((folder) => asked.push(folder));
    for (const path of ["a", "b", "c/d", "c/e", "cc/d", "c/f"]) judge(path);
    assert.deepEqual(asked, ["", "c", "cc", "c"]);
  });
});

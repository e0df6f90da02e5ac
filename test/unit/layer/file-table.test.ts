import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FileTable, numberOf, type Row } from "../../../src/layer/file-table.ts";
import { firstNot, moved } from "../../../src/layer/sequence.ts";
import type { Entry } from "../../../src/tar/entry.ts";

const PLACES = { root: "/app", prefix: "var/task", modes: new Map([["var/task/tmp", 0o1777]]) };
const version = { device: 5, inode: 7, mtimeMs: 1000.5, ctimeMs: 2000.25 };

function file(name: string, folder = 0, size = 1, mode = 0o644): Row {
  return { folder, name, entry: { kind: "file", path: "", source: "", mode, size, version } };
}

function directory(name: string, folder = 0): Row {
  return { folder, name, entry: { kind: "directory", path: "", mode: 0o755 } };
}

function tableOf(...rows: readonly Row[]): FileTable {
  const table = new FileTable(PLACES);
  for (const row of rows) table.add(row);
  return table;
}

function pathsOf(...rows: readonly Row[]): readonly string[] {
  return [...tableOf(...rows)].map(({ path }) => path);
}

function entryOf(row: Row): Entry | undefined {
  return tableOf(row).at(0)?.entry;
}

describe("a table of files", () => {
  it("gives a file back as it was, at its place on disk and in the image", () => {
    const [one] = [...tableOf(directory("lib"), file("run.sh", 1, 2 ** 40, 0o755))];
    const entry = {
      kind: "file",
      path: "var/task/lib/run.sh",
      mode: 0o755,
      size: 2 ** 40,
      source: "/app/lib/run.sh",
      version,
    };
    assert.deepEqual(one, { path: "lib/run.sh", entry });
  });

  it("gives a link back with what it points to, whatever letters are in it", () => {
    const entry: Entry = { kind: "symlink", path: "var/task/caf\u00e9", target: "../\u{1f600}" };
    assert.deepEqual(entryOf({ folder: 0, name: "caf\u00e9", entry }), entry);
  });

  it("gives an empty folder the mode that the base has for it", () => {
    assert.deepEqual(entryOf(directory("tmp")), { kind: "directory", path: "var/task/tmp", mode: 0o1777 });
  });

  it("has everything in the order of the tar: a folder's slash counts", () => {
    const rows = [file("a.txt"), directory("a"), file("a0"), file("a-"), file("b", 1)];
    assert.deepEqual(pathsOf(...rows), ["a-", "a.txt", "a/b", "a0"]);
  });

  it("sorts by bytes, not by UTF-16", () => {
    assert.deepEqual(pathsOf(file("\u{1f600}"), file("\uff5e")), ["\uff5e", "\u{1f600}"]);
  });

  it("leaves folders out that something in them brings along, and no other", () => {
    const rows = [directory("full"), directory("empty"), directory("nest", 1), file("x", 3)];
    assert.deepEqual(pathsOf(...rows), ["empty", "full/nest/x"]);
  });

  it("has what is in a folder that is not packed for its own sake, but not the folder", () => {
    const passage = (name: string, folder = 0): Row => ({ folder, name, entry: undefined });
    const rows = [passage("out"), passage("none"), directory("in"), file("x", 1), passage("deep", 3)];
    assert.deepEqual(pathsOf(...rows, file("y", 4)), ["in", "in/deep/y", "out/x"]);
  });

  it("finds a file by its path, and nothing where there is none", () => {
    const table = tableOf(file("a-b"), directory("a"), directory("c"), file("z", 1));
    const found = ["a-b", "a/z", "a", "b", "zz"].map((path) => numberOf(table, path));
    assert.deepEqual(found, [0, 1, undefined, undefined, undefined]);
  });

  it("says how many there are, and ends there", () => {
    const table = tableOf(file("a"), file("b"));
    assert.deepEqual([table.length, table.at(1)?.path, table.at(2)], [2, "b", undefined]);
  });

  it("holds folders in folders as deep as a path can be", () => {
    const rows = Array.from({ length: 2000 }, (_, depth) => directory("d", depth));
    assert.equal(tableOf(...rows).length, 1);
  });
});

describe("a sequence", () => {
  it("tells where what is true of the first ones ends", () => {
    const below = (limit: number) => firstNot([1, 2, 3], (item) => item < limit);
    assert.deepEqual([below(0), below(1), below(2), below(4)], [0, 0, 1, 3]);
  });

  for (const [from, to, expected] of [
    [0, 3, ["b", "c", "X"]],
    [2, 0, ["X", "a", "b"]],
    [1, 1, ["a", "X", "c"]],
    [1, 2, ["a", "X", "c"]],
    [0, 2, ["b", "X", "c"]],
  ] as const) {
    it(`moves the item at ${from} in front of what was at ${to}`, () => {
      const sequence = moved(["a", "b", "c"], from, to, "X");
      assert.deepEqual([...sequence], expected);
      assert.deepEqual([sequence.length, sequence.at(3)], [3, undefined]);
    });
  }
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allFiles, growTree, searchFiles } from "../../../src/report/browser/tree.ts";
import { neighbour, squarify, visibleChildren } from "../../../src/report/browser/treemap.ts";
import type { TreeEntry } from "../../../src/report/tree.ts";
import { random } from "../../support/trees.ts";

const sizes = (list: readonly number[]) => [...list].sort((a, b) => b - a).map((size) => ({ size }));
const TREE: readonly TreeEntry[] = [
  [
    "usr",
    [
      [
        "lib",
        [
          ["a.so", 50, 0],
          ["b.so", 30, 0],
        ],
      ],
      ["x", 5, 1],
    ],
  ],
  ["app.py", 10, 1],
  [7, 5],
];

describe("the treemap of the page", () => {
  const next = random(7);
  const many = sizes(Array.from({ length: 300 }, () => next(10_000) + 1));
  const cells = squarify(many, { x: 10, y: 20, w: 800, h: 500 });

  it("gives each item an area in proportion to its size", () => {
    const total = many.reduce((sum, { size }) => sum + size, 0);
    for (const { item, w, h } of cells) assert.ok(Math.abs(w * h - (item.size * 800 * 500) / total) < 1e-3);
    assert.equal(cells.length, 300);
  });

  it("stays within its frame, and no two cells overlap", () => {
    const inside = cells.every(
      ({ x, y, w, h }) => x >= 9.999 && y >= 19.999 && x + w <= 810.001 && y + h <= 520.001,
    );
    assert.ok(inside);
    const overlaps = cells.flatMap((a, index) =>
      cells.slice(index + 1).filter((b) => {
        const wide = Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x);
        const high = Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y);
        return wide > 0.001 && high > 0.001;
      }),
    );
    assert.equal(overlaps.length, 0);
  });

  it("the treemap of the page has cells that are nearly square: half of them less than 1.5 times as long as wide", () => {
    const ratios = cells.map(({ w, h }) => Math.max(w / h, h / w)).sort((a, b) => a - b);
    assert.ok((ratios[150] ?? 9) < 1.5, `${ratios[150]}`);
  });

  it("fills the frame with a single item", () => {
    const [cell] = squarify(sizes([5]), { x: 0, y: 0, w: 30, h: 90 });
    assert.deepEqual([cell?.x, cell?.y, cell?.w, cell?.h], [0, 0, 30, 90]);
  });

  it("the treemap of the page has no cell for an empty list", () =>
    assert.equal(squarify([], { x: 0, y: 0, w: 10, h: 10 }).length, 0));

  it("shows children that are too small to be seen as one cell", () => {
    const root = growTree([
      ["large", 9000, 0],
      ...Array.from({ length: 100 }, (_, index) => [`f${index}`, 10, 0] as const),
    ]);
    const shown = visibleChildren(root, 10_000, 40);
    assert.deepEqual(
      shown.map(({ name, size }) => `${name} ${size}`),
      ["large 9000", "100 smaller files 1000"],
    );
  });
});

describe("the tree of the page", () => {
  const root = growTree(TREE);

  it("adds up sizes and files, with those that are not listed", () => {
    assert.deepEqual([root.size, root.files], [100, 11]);
  });

  it("the tree of the page has the largest child first", () => {
    assert.deepEqual(
      root.children.map(({ name }) => name),
      ["usr", "app.py", "7 smaller files"],
    );
  });

  it("the tree of the page is searched by parts of paths, in any case and order", () => {
    const found = (text: string) => searchFiles(allFiles(root), text).map(({ path }) => path);
    assert.deepEqual(found("SO usr"), ["/usr/lib/a.so", "/usr/lib/b.so"]);
    assert.deepEqual(found("b.so"), ["/usr/lib/b.so"]);
    assert.deepEqual(found("none"), []);
    assert.deepEqual(found("  "), []);
  });
});

describe("on the map of the page", () => {
  const box = (x: number, y: number) => ({ x, y, w: 10, h: 10 });
  const [left, right, below] = [box(0, 0), box(10, 0), box(0, 10)];
  const boxes = [left, right, below];

  for (const [key, want] of [
    ["ArrowRight", right],
    ["ArrowDown", below],
    ["ArrowLeft", undefined],
    ["ArrowUp", undefined],
  ] as const) {
    it(`${key} goes to the nearest cell in its direction, if there is one`, () => {
      assert.equal(neighbour(boxes, left, key), want);
    });
  }
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runInNewContext } from "node:vm";
import { MODEL_SCRIPT } from "../../../src/report/model-script.ts";
import { TREEMAP_SCRIPT } from "../../../src/report/treemap-script.ts";
import { random } from "../../support/trees.ts";

interface Item {
  readonly size: number;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface Node extends Item {
  readonly kind: string;
  readonly name: string;
  readonly path?: string;
  readonly files: number;
  readonly children: readonly Node[];
}

interface Script {
  readonly squarify: (
    items: readonly Item[],
    x: number,
    y: number,
    w: number,
    h: number,
  ) => readonly (Box & { readonly item: Item })[];
  readonly visibleChildren: (folder: Node, area: number, least: number) => readonly Node[];
  readonly grow: (children: unknown) => Node;
  readonly allFiles: (root: Node) => readonly Node[];
  readonly search: (files: readonly Node[], text: string) => readonly Node[];
  readonly neighbour: (boxes: readonly Box[], box: Box, key: string) => Box | undefined;
}

/** What the page runs, without a page. */
const script = runInNewContext(
  `${TREEMAP_SCRIPT}${MODEL_SCRIPT}; ({ squarify, visibleChildren, grow, allFiles, search, neighbour })`,
) as Script;

const sizes = (list: readonly number[]) => [...list].sort((a, b) => b - a).map((size) => ({ size }));
const TREE = [
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

describe("a treemap", () => {
  const next = random(7);
  const many = sizes(Array.from({ length: 300 }, () => next(10_000) + 1));
  const cells = script.squarify(many, 10, 20, 800, 500);

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

  it("has cells that are nearly square: half of them less than 1.5 times as long as wide", () => {
    const ratios = cells.map(({ w, h }) => Math.max(w / h, h / w)).sort((a, b) => a - b);
    assert.ok((ratios[150] ?? 9) < 1.5, `${ratios[150]}`);
  });

  it("of one item fills the frame", () => {
    const [cell] = script.squarify(sizes([5]), 0, 0, 30, 90);
    assert.deepEqual([cell?.x, cell?.y, cell?.w, cell?.h], [0, 0, 30, 90]);
  });

  it("of nothing has no cell", () => assert.equal(script.squarify([], 0, 0, 10, 10).length, 0));

  it("puts what is too small to be seen into one cell", () => {
    const root = script.grow([
      ["large", 9000, 0],
      ...Array.from({ length: 100 }, (_, index) => [`f${index}`, 10, 0]),
    ]);
    const shown = script.visibleChildren(root, 10_000, 40);
    assert.deepEqual(
      Array.from(shown, ({ name, size }) => `${name} ${size}`),
      ["large 9000", "100 smaller files 1000"],
    );
  });
});

describe("the tree of the page", () => {
  const root = script.grow(TREE);

  it("adds up sizes and files, those without a name included", () => {
    assert.deepEqual([root.size, root.files], [100, 11]);
  });

  it("has what is largest first", () => {
    assert.deepEqual(
      Array.from(root.children, ({ name }) => name),
      ["usr", "app.py", "7 smaller files"],
    );
  });

  it("is searched by parts of paths, in any case and order", () => {
    const found = (text: string) =>
      Array.from(script.search(script.allFiles(root), text), ({ path }) => path);
    assert.deepEqual(found("SO usr"), ["/usr/lib/a.so", "/usr/lib/b.so"]);
    assert.deepEqual(found("b.so"), ["/usr/lib/b.so"]);
    assert.deepEqual(found("none"), []);
    assert.deepEqual(found("  "), []);
  });
});

describe("the arrow keys", () => {
  const box = (x: number, y: number) => ({ x, y, w: 10, h: 10 });
  const [left, right, below] = [box(0, 0), box(10, 0), box(0, 10)];
  const boxes = [left, right, below];

  for (const [key, want] of [
    ["ArrowRight", right],
    ["ArrowDown", below],
    ["ArrowLeft", undefined],
    ["ArrowUp", undefined],
  ] as const) {
    it(`${key} goes to the nearest cell there, where there is one`, () => {
      assert.equal(script.neighbour(boxes, left, key), want);
    });
  }
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inLanes } from "../../../src/async/map-concurrent.ts";
import { allPages } from "../../../src/aws/pages.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("work in lanes", () => {
  it("has no more under way at once than there are lanes, and all of it in the end", async () => {
    let under = 0;
    let most = 0;
    const results = await inLanes([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
      under += 1;
      most = Math.max(most, under);
      for (let waits = 8 - item; waits > 0; waits -= 1) await turn();
      under -= 1;
      return item * 10;
    });
    assert.deepEqual([most, results], [3, [10, 20, 30, 40, 50, 60, 70]]);
  });

  it("begins nothing new after a failure, and has ended what was under way", async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const work = inLanes([1, 2, 3, 4, 5], 2, async (item) => {
      begun.push(item);
      if (item === 1) throw new Error("one");
      for (let waits = 5; waits > 0; waits -= 1) await turn();
      ended.push(item);
    });
    await assert.rejects(work, /^Error: one$/);
    assert.deepEqual([begun, ended], [[1, 2], [2]]);
  });

  it("of nothing is nothing", async () => {
    assert.deepEqual(await inLanes([], 4, async () => 1), []);
  });
});

describe("a list that comes in pages", () => {
  it("goes on after an empty page, and ends at an empty marker", async () => {
    const pages = [
      { items: [1], next: "a" },
      { items: undefined, next: "b" },
      { items: [2], next: "" },
    ];
    const markers: (string | undefined)[] = [];
    const all = await allPages(async (marker) => {
      markers.push(marker);
      return pages[markers.length - 1] ?? { items: [], next: undefined };
    });
    assert.deepEqual(
      [all, markers],
      [
        [1, 2],
        [undefined, "a", "b"],
      ],
    );
  });
});

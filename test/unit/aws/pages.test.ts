import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allPages } from "../../../src/aws/api.ts";

describe("a list that comes in pages", () => {
  it("goes on after an empty page, and ends at an empty marker", async () => {
    const pages = [
      { items: [1], NextMarker: "a" },
      { items: [], NextMarker: "b" },
      { items: [2], NextMarker: "" },
    ];
    const markers: (string | undefined)[] = [];
    const all = await allPages("the numbers", "items", async (marker) => {
      markers.push(marker);
      return pages[markers.length - 1] ?? { items: [], NextMarker: "" };
    });
    assert.deepEqual(
      [all, markers],
      [
        [1, 2],
        [undefined, "a", "b"],
      ],
    );
  });

  it("a list that comes in pages is an error if a page has no list, because that must not count as an empty one", async () => {
    const pages: { items?: number[]; NextMarker: string }[] = [
      { items: [1], NextMarker: "a" },
      { NextMarker: "" },
    ];
    const ask = async () => pages.shift() ?? { NextMarker: "" };
    await assert.rejects(allPages("the numbers", "items", ask), {
      code: "REGISTRY_ANSWER",
      message: "the answer of AWS about the numbers has no items",
    });
  });
});

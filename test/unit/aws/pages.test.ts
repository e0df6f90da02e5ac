import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allPages } from "../../../src/aws/api.ts";

describe("a list that comes in pages", () => {
  it("goes on after an empty page, and ends at an empty marker", async () => {
    const pages = [
      { items: [1], NextMarker: "a" },
      { items: undefined, NextMarker: "b" },
      { items: [2], NextMarker: "" },
    ];
    const markers: (string | undefined)[] = [];
    const all = await allPages(
      async (marker) => {
        markers.push(marker);
        return pages[markers.length - 1] ?? { items: [], NextMarker: "" };
      },
      ({ items }) => items,
    );
    assert.deepEqual(
      [all, markers],
      [
        [1, 2],
        [undefined, "a", "b"],
      ],
    );
  });
});

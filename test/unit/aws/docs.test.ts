import "../../support/ecr/trusting.ts";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { recordings } from "../../support/aws/recordings.ts";

const page = readFileSync(new URL("../../../docs/aws.md", import.meta.url), "utf8");

/** Without what differs from run to run and from one zlib to the next: times, speeds, digests and sizes; lines of two functions at once in any order. */
function lasting(text: string): readonly string[] {
  return text
    .replace(/^\[ *[\d.]+s\]/gm, "[time]")
    .replace(/ at [\d.]+ \w*B\/s/g, "")
    .replace(/sha256:[0-9a-f]{12,64}/g, "<digest>")
    .replace(/lambda-[0-9a-f]{12}/g, "lambda-<digest>")
    .replace(/\b[\d.]+ k?B\b/g, "<size>")
    .split("\n")
    .sort();
}

describe("docs/aws.md", () => {
  it("shows what its commands write (npm run docs)", async () => {
    const shown = [...page.matchAll(/^```console\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
    const recorded = await recordings();
    assert.equal(shown.length, recorded.length);
    for (const [index, block] of shown.entries())
      assert.deepEqual(lasting(block), lasting(recorded[index] ?? ""));
  });
});

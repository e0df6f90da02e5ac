import "../../support/ecr/trusting.ts";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededImage } from "../../support/reliability/image.ts";
import { quickMover } from "../../support/reliability/quick-mover.ts";
import { soup, soupRun } from "../../support/reliability/soup.ts";

const image = seededImage("soup", 60_000, 60_000);

// A thousand of these in real time: npm run reliability.
describe("a run in which each request fails with a probability of 0.1", { concurrency: 8 }, () => {
  for (let seed = 0; seed < 60; seed++) {
    const run = soupRun(seed);
    it(`ends well: ${run.work}, ${run.on}, seed ${seed}`, async () => {
      const { error, damaged, leaks, strays } = await soup(run, 0.1, image, quickMover());
      assert.equal(error, undefined);
      assert.deepEqual({ damaged, leaks, strays }, { damaged: [], leaks: [], strays: 0 });
    });
  }
});

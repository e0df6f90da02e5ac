import "../../support/ecr/trusting.ts";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededImage } from "../../support/reliability/image.ts";
import { realMover } from "../../support/reliability/real-mover.ts";
import { CHUNK, CUTS, LARGE, resetOnce } from "../../support/reliability/resume.ts";

/** All of them: npm run reliability. */
const ASKED = /^in the middle|^after the (last part|one PUT)/;
const image = seededImage("resume", LARGE);

describe("a push of 100 MB that is reset once sends at most one chunk again", { concurrency: 2 }, () => {
  for (const cut of CUTS.filter(({ where }) => ASKED.test(where))) {
    it(`${cut.on}: ${cut.where}`, async (t) => {
      const mover = realMover();
      t.after(() => mover.remove());
      const { again, damaged } = await resetOnce(cut, image, mover);
      // Below 0 where what was cut off is not counted as received.
      assert.ok(again <= CHUNK, `${again} bytes`);
      assert.deepEqual(damaged, []);
    });
  }
});

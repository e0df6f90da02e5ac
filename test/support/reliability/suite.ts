import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PULLED_LAYER, PUSHED_LAYER } from "./faults/common-faults.ts";
import type { Work } from "./faults/fault-kind.ts";
import { KINDS } from "./faults/kinds.ts";
import { seededImage } from "./image.ts";
import { flawOf, play, type Times } from "./play.ts";
import { quickMover } from "./quick-mover.ts";
import type { StageName } from "./stage.ts";

/**
 * What `npm run reliability` does in real time, with waits that are only counted. Who survives a fault twice survives it once;
 * that a plain registry's is survived for ever too is in registry-faults-*.test.ts.
 */
const OFTEN: Readonly<Record<StageName, readonly Times[]>> = {
  ecr: [2, Number.POSITIVE_INFINITY],
  plain: [2],
};
const NAMES: Readonly<Record<StageName, string>> = { ecr: "the stand-in for ECR", plain: "a plain registry" };

/** Every kind of fault that can come to this work, at both registries. */
export function survives(work: Work): void {
  const image = seededImage(work, work === "pull" ? PULLED_LAYER : PUSHED_LAYER, PUSHED_LAYER);
  for (const on of ["ecr", "plain"] as const) {
    describe(`a fault that comes to a ${work} at ${NAMES[on]}`, { concurrency: 8 }, () => {
      for (const kind of KINDS.filter((each) => each.work === work && (each.only ?? on) === on)) {
        for (const times of OFTEN[on]) {
          it(`ends as it must: ${kind.at}, ${kind.name}, ${times === 2 ? "twice" : "for ever"}`, async () => {
            const outcome = await play(kind, times, on, image, quickMover());
            assert.equal(flawOf(kind, times, outcome), undefined);
          });
        }
      }
    });
  }
}

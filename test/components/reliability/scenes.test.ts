import "../../support/ecr/trusting.ts";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { playScene, SCENES } from "../../support/reliability/scenes.ts";

for (const on of ["ecr", "plain"] as const) {
  describe(`at ${on} it ends well`, { concurrency: 4 }, () => {
    for (const scene of SCENES) {
      it(scene.name, async () => {
        assert.equal(await playScene(scene, on), undefined);
      });
    }
  });
}

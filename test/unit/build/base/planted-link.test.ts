import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type BuildEvent, build } from "../../../../src/index.ts";
import { makeTree, temporaryDirectory } from "../../../support/trees.ts";

describe("a link named .lambda-pack in the source directory", () => {
  for (const [what, target] of Object.entries({
    "a directory of the source": "lib",
    "the source itself": ".",
    "a place outside": "/etc",
  })) {
    it(`changes neither the image nor the use of the cache when it points to ${what}`, async () => {
      const directory = makeTree({ "index.mjs": "export {};\n", "lib/a.mjs": "export {};\n" });
      const cacheDir = join(temporaryDirectory(), "cache");
      const run = async () => {
        const events: BuildEvent[] = [];
        const { layers } = await build({
          ...{ directory, cacheDir, environment: {}, base: "scratch", cmd: ["index.handler"], check: false },
          to: `oci:${join(temporaryDirectory(), "out")}`,
          onEvent: (event) => events.push(event),
        });
        const how = events.flatMap((event) => (event.type === "layer-ready" ? [event.how] : []));
        return { digests: layers.map(({ digest }) => digest), how };
      };
      const without = await run();
      assert.deepEqual(without.how, ["built"]);
      symlinkSync(target, join(directory, ".lambda-pack"));
      assert.deepEqual(await run(), { ...without, how: ["cached"] });
    });
  }
});

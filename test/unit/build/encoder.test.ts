import assert from "node:assert/strict";
import { join } from "node:path";
import { it } from "node:test";
import { build } from "../../../src/index.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

it("build names the encoder of the layers that it packed, and none if all were in the cache", async () => {
  const options = {
    directory: makeTree({ "app.py": "def handler(event, context): return event\n" }),
    base: "scratch",
    handler: "app.handler",
    to: `oci:${join(temporaryDirectory(), "out")}`,
    cacheDir: temporaryDirectory(),
    environment: { HOME: temporaryDirectory() },
    check: false,
  };
  const first = await build(options);
  const second = await build(options);
  assert.deepEqual([first.encoder, second.encoder], ["zlib", undefined]);
  assert.equal(first.digest, second.digest);
});

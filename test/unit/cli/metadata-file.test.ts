import assert from "node:assert/strict";
import { join } from "node:path";
import { it } from "node:test";
import type { BuildOptions } from "../../../src/index.ts";
import { built, lambdaPack } from "../../support/cli.ts";
import { temporaryFolder } from "../../support/trees.ts";

it("build is told not to pack the file of --metadata-file, and push is told nothing of it", async () => {
  const metadata = join(temporaryFolder(), "image.json");
  const given: unknown[] = [];
  const build = async (options: BuildOptions) => {
    given.push(options.ownFiles);
    return built;
  };
  await lambdaPack(["build", "--base", "x", "--metadata-file", metadata], { build });
  await lambdaPack(["build", "--base", "x"], { build });
  const { status } = await lambdaPack(["push", "oci:a", "oci:b", "--metadata-file", metadata]);
  assert.deepEqual([given, status], [[[metadata], undefined], 0]);
});

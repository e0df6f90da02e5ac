import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import type { BuildOptions } from "../../../src/index.ts";
import { built, lambdaPack, pushed } from "../../support/cli/cli.ts";
import { temporaryDirectory } from "../../support/trees.ts";

it("build is told not to pack the file of --metadata-file, and push is told nothing of it", async () => {
  const metadata = join(temporaryDirectory(), "image.json");
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

it("build and push write the digest and nothing else to the file of --iidfile", async () => {
  const directory = temporaryDirectory();
  const [image, copy] = [join(directory, "build"), join(directory, "push")];
  const { builds } = await lambdaPack(["build", "--base", "x", "--iidfile", image]);
  const { pushes } = await lambdaPack(["push", "oci:a", "oci:b", "--iidfile", copy]);
  assert.deepEqual([readFileSync(image, "utf8"), readFileSync(copy, "utf8")], [built.digest, pushed.digest]);
  assert.deepEqual([builds[0]?.ownFiles, builds.some((one) => "iidfile" in one)], [[image], false]);
  assert.deepEqual(
    pushes.map((one) => "iidfile" in one),
    [false],
  );
});

it("a failed build leaves neither the file of --iidfile nor anything beside it", async () => {
  const directory = temporaryDirectory();
  const build = async () => {
    throw new Error("no");
  };
  const { status } = await lambdaPack(["build", "--base", "x", "--iidfile", join(directory, "id")], {
    build,
  });
  assert.deepEqual([status, readdirSync(directory)], [1, []]);
});

it("build does not start if the file of --iidfile cannot be written", async () => {
  const path = join(temporaryDirectory(), "missing", "id");
  const { status, stderr, builds } = await lambdaPack(["build", "--base", "x", "--iidfile", path]);
  assert.deepEqual([status, builds.length, existsSync(path)], [1, 0, false]);
  assert.match(stderr, /id cannot be written/);
});

it("build refuses --iidfile with functions of a configuration file", async () => {
  const path = join(temporaryDirectory(), "id");
  const argv = ["build", "--all", "--config", "lambda-pack.jsonc", "--iidfile", path];
  const { status, stderr } = await lambdaPack(argv);
  assert.equal(status, 2);
  assert.match(stderr, /--iidfile is for one image.*\n.*fix: write --metadata-file FILE/);
});

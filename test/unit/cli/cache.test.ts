import assert from "node:assert/strict";
import { chmodSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import * as index from "../../../src/index.ts";
import { build, type PushResult } from "../../../src/index.ts";
import { lambdaPack } from "../../support/cli/cli.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

const { cacheInfo, pruneCache, verifyCache } = index;
const aws = { cacheInfo, pruneCache, verifyCache };

async function filled(): Promise<{ readonly directory: string; readonly built: PushResult }> {
  const directory = join(temporaryDirectory(), "cache");
  const built = await build({
    directory: makeTree({ "main.sh": "#!/bin/sh\n" }),
    base: "scratch",
    check: false,
    cmd: ["main.sh"],
    to: `oci:${join(temporaryDirectory(), "out")}`,
    cacheDir: directory,
  });
  return { directory, built };
}

const run = (job: string, directory: string, ...more: readonly string[]) =>
  lambdaPack(["cache", job, "--cache-dir", directory, ...more], { aws });

function blobsIn(directory: string): readonly string[] {
  return readdirSync(join(directory, "blobs", "sha256"));
}

describe("lambda-pack cache", () => {
  it("info says where it is, how many blobs and how large", async () => {
    const { directory } = await filled();
    const { stdout, status } = await run("info", directory);
    assert.equal(status, 0);
    assert.match(stdout, /cache {2}1 blob {2}\d+ B\n1 layer and 0 base images recorded\n$/);
    const { directory: said, ...numbers } = JSON.parse((await run("info", directory, "--json")).stdout);
    assert.equal(said, directory);
    assert.equal(numbers.blobs, 1);
  });

  it("prune removes everything, and says how much", async () => {
    const { directory } = await filled();
    const { stdout } = await run("prune", directory);
    assert.match(stdout, /^1 blob removed, \d+ B; 0 blobs left, 0 B\n$/);
    assert.deepEqual([blobsIn(directory), readdirSync(join(directory, "layers"))], [[], []]);
  });

  it("prune --keep leaves what fits", async () => {
    const { directory } = await filled();
    assert.match((await run("prune", directory, "--keep", "1MB")).stdout, /^0 blobs removed/);
    assert.equal(blobsIn(directory).length, 1);
  });

  it("verify names what is damaged, and removes it", async () => {
    const { directory } = await filled();
    const [name = ""] = blobsIn(directory);
    const path = join(directory, "blobs", "sha256", name);
    assert.match((await run("verify", directory)).stdout, /^1 blob verified/);
    truncateSync(path, 10);
    const { stdout, status } = await run("verify", directory);
    assert.equal(status, 0);
    assert.equal(stdout, `damaged, removed: ${path}\n0 blobs verified, 0 B\n`);
    assert.deepEqual(blobsIn(directory), []);
  });

  for (const argv of [
    ["cache"],
    ["cache", "clear"],
    ["cache", "info", "--keep", "1"],
    ["cache", "prune", "--keep", "much"],
  ])
    it(`${argv.join(" ")} is wrong usage`, async () => {
      assert.equal((await lambdaPack(argv, { aws })).status, 2);
    });

  it("fails if there can be no cache", async () => {
    const file = join(temporaryDirectory(), "file");
    writeFileSync(file, "");
    chmodSync(file, 0o444);
    const { status, stderr } = await run("info", join(file, "cache"));
    assert.equal(status, 1);
    assert.match(stderr, /cannot be used/);
  });
});

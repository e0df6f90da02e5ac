import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { openCache } from "../../../src/cache/cache.ts";
import { build } from "../../../src/index.ts";
import { bundled, runTypeScript } from "../../support/processes/bundled.ts";
import { tryRun } from "../../support/run.ts";
import { makeTree, noise, pathsIn, temporaryDirectory } from "../../support/trees.ts";

const node = [process.execPath, await bundled("build-often.ts")] as const;

const directory = makeTree({
  main: "#!/bin/sh\n",
  "node_modules/a/index.js": "exports.a = 1;\n".repeat(20_000),
  "node_modules/a/noise.bin": noise(300_000),
  "data/b.txt": "b".repeat(100_000),
});

async function digestOf(cacheDirectory: string, out: string): Promise<string> {
  const { digest } = await build({
    directory,
    base: "scratch",
    check: false,
    cmd: ["main"],
    to: `oci:${join(out, "image")}`,
    cacheDir: cacheDirectory,
    environment: { SOURCE_DATE_EPOCH: "1" },
  });
  return digest;
}

async function assertWhole(cacheDirectory: string): Promise<void> {
  const cache = await openCache({ directory: cacheDirectory });
  assert.deepEqual((await cache.verify()).removed, []);
  await cache.close();
}

function partialsIn(...directories: readonly string[]): readonly string[] {
  return directories.flatMap((directory) => pathsIn(directory).filter((path) => /partial|lock/.test(path)));
}

describe("builds of several processes with one cache", () => {
  it("all succeed with one digest, 8 of them 20 times", async () => {
    const cache = join(temporaryDirectory(), "cache");
    const printed = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        runTypeScript("build-often.ts", [directory, cache, temporaryDirectory(), "20", String(index % 4)]),
      ),
    );
    const digests = new Set(printed.map((text) => text.split("\n")[1]));
    assert.deepEqual(digests, new Set([await digestOf(cache, temporaryDirectory())]));
    await assertWhole(cache);
    assert.deepEqual(partialsIn(cache), []);
  });

  it("that are killed at any of 100 moments leave nothing that stands in the way of the next", async () => {
    const cache = join(temporaryDirectory(), "cache");
    const expected = await digestOf(join(temporaryDirectory(), "other"), temporaryDirectory());
    const outs = Array.from({ length: 10 }, temporaryDirectory);
    for (let batch = 0; batch < 10; batch++) {
      await Promise.all(outs.map((out, index) => killedBuild(cache, out, batch * 10 + index)));
      const out = outs[batch] ?? "";
      assert.equal(await digestOf(cache, out), expected);
      assert.deepEqual(partialsIn(cache, out), []);
      await assertWhole(cache);
    }
  });
});

/** Killed within its first builds. It must not have ended by itself: then it failed. */
async function killedBuild(cache: string, out: string, seed: number): Promise<void> {
  const [program, ...args] = node;
  const child: ChildProcess = spawn(program, [...args, directory, cache, out, "0", String(seed)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (child.stdout) await once(child.stdout, "data");
  await setTimeout(Math.random() * 250);
  assert.equal(child.exitCode, null);
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

describe("a build on a disk that takes no more", () => {
  it("says so and names the path, and the next one succeeds", async () => {
    const cache = join(temporaryDirectory(), "cache");
    const out = temporaryDirectory();
    // 400 blocks of 512 bytes: less than the layer of the dependencies, more than everything else that is written.
    const limited = ["-c", 'ulimit -f 400 && exec "$@"', "sh", ...node, directory, cache, out, "1"];
    const { status, stderr } = await tryRun("sh", limited);
    assert.notEqual(status, 0);
    assert.match(stderr, /WRITE_FAILED/);
    assert.match(stderr, new RegExp(`cannot write ${cache}.*EFBIG`));
    assert.deepEqual(partialsIn(cache, out), []);
    await assertWhole(cache);
    assert.equal(
      await digestOf(cache, out),
      await digestOf(join(temporaryDirectory(), "c"), temporaryDirectory()),
    );
  });
});

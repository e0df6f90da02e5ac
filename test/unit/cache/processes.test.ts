import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { openCache } from "../../../src/cache/cache.ts";
import { readAll } from "../../../src/oci/content.ts";
import { contentFrom } from "../../support/images/random-content.ts";
import { bundled, runTypeScript } from "../../support/processes/bundled.ts";
import { tryRun } from "../../support/run.ts";
import { pathsIn, temporaryDirectory } from "../../support/trees.ts";

const temporary = temporaryDirectory();
const script = await bundled("use-cache.ts");

const partials = (directory: string) => pathsIn(directory).filter((path) => path.endsWith(".partial"));

async function startEndless(directory: string, name: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [script, directory, name], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return child;
}

/** It must not have ended by itself: then it failed. */
async function kill(child: ChildProcess): Promise<void> {
  assert.equal(child.exitCode, null);
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

describe("several processes at one cache", () => {
  it("all succeed, 8 of them 20 times, while each prunes", async () => {
    const directory = join(temporary, "shared");
    const names = Array.from({ length: 8 }, (_, index) => `process-${index}`);
    await Promise.all(names.map((name) => runTypeScript("use-cache.ts", [directory, name, "20"])));
    const cache = await openCache({ directory });
    assert.deepEqual((await cache.verify()).removed, []);
    await cache.close();
    assert.deepEqual(partials(directory), []);
  });

  it("leave a cache that is whole when they are killed at any moment", async () => {
    const directory = join(temporary, "killed");
    for (let round = 0; round < 2; round++) {
      const children = await Promise.all(
        ["a", "b", "c", "d"].map((name) => startEndless(directory, `${name}${round}`)),
      );
      for (const child of children) {
        await setTimeout(Math.random() * 60);
        await kill(child);
      }
      const cache = await openCache({ directory });
      assert.deepEqual((await cache.verify()).removed, []);
      await readAll(await cache.keep(contentFrom("one")));
      await cache.close();
      assert.deepEqual(partials(directory), []);
    }
  });
});

describe("a disk that takes no more", () => {
  it("a disk that takes no more is an error that names the path, and leaves the cache valid", async () => {
    const directory = join(temporary, "full");
    // 120 blocks of 512 bytes: less than one of the blobs, more than everything else that is written.
    const limited = await tryRun("sh", [
      "-c",
      'ulimit -f 120 && exec "$@"',
      "sh",
      process.execPath,
      script,
      directory,
      "a",
      "1",
    ]);
    assert.notEqual(limited.status, 0);
    assert.match(limited.stderr, /WRITE_FAILED/);
    assert.match(limited.stderr, new RegExp(`cannot write ${directory}.*EFBIG`));
    assert.deepEqual(
      pathsIn(join(directory, "blobs")).filter((path) => path !== "sha256"),
      [],
    );
    await runTypeScript("use-cache.ts", [directory, "a", "1"]);
  });
});

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { bundled } from "../../support/processes/bundled.ts";
import { tryRun } from "../../support/run.ts";
import { temporaryDirectory } from "../../support/trees.ts";
import { leftBy } from "../../support/unfinished-files.ts";

const UNSHARE = ["unshare", "-Urpf", "--mount-proc"] as const;
const [unshare, ...flags] = UNSHARE;
const skip = spawnSync(unshare, [...flags, "true"]).status !== 0 && "no PID namespaces are allowed here";

describe("two builds that share a cache from two PID namespaces with one host name", { skip }, () => {
  it("do not remove each other's unfinished files", async () => {
    const script = await bundled("use-cache.ts");
    const directory = join(temporaryDirectory(), "cache");
    // A process that is alive here; inside the namespace no process has its id.
    const living = spawn(process.execPath, ["-e", "process.stdin.resume()"]);
    await once(living, "spawn");
    const unfinished = [".blob", ".session"].map((stem) => join(directory, leftBy(living.pid ?? 0, stem)));
    mkdirSync(directory, { mode: 0o700 });
    for (const path of unfinished) writeFileSync(path, "half");
    try {
      const { status, stderr } = await tryRun(unshare, [
        ...flags,
        process.execPath,
        script,
        directory,
        "a",
        "1",
      ]);
      assert.equal(status, 0, stderr);
      assert.deepEqual(
        unfinished.map((path) => existsSync(path)),
        [true, true],
      );
    } finally {
      living.kill();
    }
  });
});

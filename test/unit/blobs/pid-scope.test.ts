import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { withLock } from "../../../src/blobs/lock.ts";
import {
  type PidScopeFacts,
  pidScope,
  readPidScopeFacts,
  sweepPartials,
} from "../../../src/blobs/partial.ts";
import { temporaryDirectory } from "../../support/trees.ts";
import { DEAD_PID, leftIn } from "../../support/unfinished-files.ts";

const own = readPidScopeFacts();

const OTHERS: Readonly<Record<string, PidScopeFacts>> = {
  "another PID namespace of this host": { ...own, pidNamespace: "pid:[1]" },
  "another host with the same name": { ...own, boot: "11111111-2222-3333-4444-555555555555" },
  "a host with another name": { ...own, hostname: `${own.hostname}-2` },
};

describe("unfinished files", () => {
  for (const [place, facts] of Object.entries(OTHERS)) {
    it(`of a process in ${place} are kept, whatever its process id`, async () => {
      const directory = temporaryDirectory();
      const name = leftIn(pidScope(facts), DEAD_PID, ".blob");
      writeFileSync(join(directory, name), "half");
      await sweepPartials(directory, () => true);
      assert.equal(existsSync(join(directory, name)), true);
    });

    it(`of a process in ${place} keep their lock`, async () => {
      const path = join(temporaryDirectory(), "lock");
      writeFileSync(path, leftIn(pidScope(facts), DEAD_PID, "lock"));
      const stop = AbortSignal.timeout(100);
      await assert.rejects(
        withLock(path, async () => "done", stop),
        { name: "TimeoutError" },
      );
    });
  }

  it("of a dead process of this PID namespace are removed at once", async () => {
    const directory = temporaryDirectory();
    const name = leftIn(pidScope(own), DEAD_PID, ".blob");
    writeFileSync(join(directory, name), "half");
    await sweepPartials(directory, () => true);
    assert.equal(existsSync(join(directory, name)), false);
  });
});

describe("the facts about a PID namespace", () => {
  it("the facts about a PID namespace are the same in another process of it", () => {
    const module = new URL("../../../src/blobs/partial.ts", import.meta.url);
    const script = `import { readPidScopeFacts } from ${JSON.stringify(module.href)};
      console.log(JSON.stringify(readPidScopeFacts()));`;
    const output = execFileSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script]);
    assert.deepEqual(JSON.parse(output.toString()), JSON.parse(JSON.stringify(own)));
  });

  it("name the namespace and the boot on Linux", { skip: process.platform !== "linux" }, () => {
    assert.match(own.pidNamespace ?? "", /^pid:\[\d+\]$/);
    assert.match(own.boot, /^[0-9a-f-]{36}$/);
  });
});

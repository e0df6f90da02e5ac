import assert from "node:assert/strict";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { run, TYPESCRIPT } from "../../support/run.ts";

const script = fileURLToPath(new URL("../../../scripts/push-stack.ts", import.meta.url));

it("the push of one blob is at most 14 calls through 8 files, so that a newcomer can follow it", async () => {
  const output = await run(process.execPath, [...TYPESCRIPT, script]);
  const [, calls, files] = /^(\d+) calls through (\d+) files$/m.exec(output) ?? [];
  assert.ok(Number(calls) <= 14 && Number(files) <= 8, output);
});

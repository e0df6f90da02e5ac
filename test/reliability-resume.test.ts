import "./support/ecr/trusting.ts";
import assert from "node:assert/strict";
import { it } from "node:test";
import { seededImage } from "./support/reliability/image.ts";
import { realMover } from "./support/reliability/real-mover.ts";
import { resetOnce } from "./support/reliability/resume.ts";

const MB = 1_000_000;
const CHUNK = 32 * 1024 * 1024;
const image = seededImage("resume", 100 * MB);

for (const { on, kind, at } of [
  { on: "ecr", kind: "patch", at: CHUNK / 2 },
  { on: "plain", kind: "put-blob", at: 50 * MB },
] as const) {
  it(`after a reset in the middle of 100 MB at most one chunk is sent again: ${on}`, async (t) => {
    const mover = realMover();
    t.after(() => mover.remove());
    const { again, damaged } = await resetOnce(on, { image, kind, at }, mover);
    assert.ok(again >= 0 && again <= CHUNK, `${again} bytes`);
    assert.deepEqual(damaged, []);
  });
}

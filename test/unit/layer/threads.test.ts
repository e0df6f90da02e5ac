import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { SumsBeside } from "../../../src/layer/encode/sums.ts";
import { joinThread } from "../../../src/layer/encode/threads.ts";
import { digestOf } from "../../../src/oci/digest.ts";

const onOneProcessor = availableParallelism() === 1 && "this machine has one processor, and no thread";

describe("the thread that hashes", { skip: onOneProcessor }, () => {
  it("comes to be, and sums up", async () => {
    const place = joinThread() ?? assert.fail();
    const memory = new SharedArrayBuffer(10);
    assert.deepEqual(await place.ask({ kind: "block", memory, length: 3 }), { kind: "more" });
    const { kind, hex } = { hex: "", ...(await place.ask({ kind: "end" })) };
    place.leave();
    assert.equal(`${kind} sha256:${hex}`, `end ${digestOf(Buffer.alloc(3))}`);
  });

  it("is not ended under a layer by somebody who left twice before", async () => {
    const place = joinThread() ?? assert.fail();
    place.leave();
    place.leave();
    const sums = new SumsBeside();
    const block = Buffer.alloc(1024, 1);
    await Promise.race([Promise.all([sums.add(block), sums.add(block)]), delay(200)]);
    await delay(1200);
    const added = sums.add(block);
    const { digest } = await sums.end();
    await added;
    assert.match(digest, /^sha256:/);
  });
});

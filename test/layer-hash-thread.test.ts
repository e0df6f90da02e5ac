import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type HashThread, joinHashThread } from "../src/layer/encode/hash-thread.ts";
import { SumsBeside } from "../src/layer/encode/sums.ts";

const nobody = { answered: () => undefined, lost: () => undefined };

function join(stream: number): HashThread | undefined {
  return joinHashThread(stream, nobody);
}

describe("the thread that hashes", () => {
  it("is not ended under a layer by somebody who left twice before", async (context) => {
    const thread = join(-1);
    if (!thread) return context.skip("this machine has one processor, and no thread");
    thread.leave(-1);
    thread.leave(-1);
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

import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { WorkerHasher } from "../../../src/layer/encode/hasher.ts";
import { leaseHashThread } from "../../../src/layer/encode/worker-threads.ts";
import { digestOf } from "../../../src/oci/digest.ts";

const onOneProcessor = availableParallelism() === 1 && "this machine has one processor, and no thread";

describe("worker threads", { skip: onOneProcessor }, () => {
  it("the hashing thread gives the SHA-256 of the blocks that were sent to it", async () => {
    const lease = leaseHashThread() ?? assert.fail();
    const memory = new SharedArrayBuffer(10);
    assert.deepEqual(await lease.ask({ kind: "block", memory, length: 3 }), { kind: "taken" });
    const { kind, hex } = { hex: "", ...(await lease.ask({ kind: "end" })) };
    lease.release();
    assert.equal(`${kind} sha256:${hex}`, `end ${digestOf(Buffer.alloc(3))}`);
  });

  it("the hashing thread keeps running for a stream after another lease was released twice", async () => {
    const lease = leaseHashThread() ?? assert.fail();
    lease.release();
    lease.release();
    const hasher = new WorkerHasher();
    const block = Buffer.from(new SharedArrayBuffer(1024)).fill(1);
    await Promise.race([Promise.all([hasher.add(block), hasher.add(block)]), delay(200)]);
    await delay(1200);
    const added = hasher.add(block);
    const { digest } = await hasher.end();
    await added;
    assert.equal(digest, digestOf(Buffer.alloc(3 * 1024, 1)));
  });
});

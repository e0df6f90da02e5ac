import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { describe, it } from "node:test";
import { hashThread } from "../../../../src/layer/encode/worker-threads.ts";
import { digestOf } from "../../../../src/oci/digest.ts";

const onOneProcessor = availableParallelism() === 1 && "this machine has one processor, and no thread";

describe("worker threads", { skip: onOneProcessor }, () => {
  it("the hashing thread gives the SHA-256 of the blocks that were sent to it", async () => {
    const thread = hashThread() ?? assert.fail();
    assert.equal(await thread.isReady, true);
    const memory = new SharedArrayBuffer(10);
    const block = { kind: "block", stream: -1, memory, length: 3 } as const;
    assert.deepEqual(await thread.ask(block), { kind: "done" });
    const { kind, hex } = { hex: "", ...(await thread.ask({ kind: "end", stream: -1 })) };
    assert.equal(`${kind} sha256:${hex}`, `hash ${digestOf(Buffer.alloc(3))}`);
  });
});

import assert from "node:assert/strict";
import { it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { SumsBeside, sumHere } from "../src/layer/sums.ts";

it("sums on a thread beside are those of this one, also when the thread is lost before the end", async () => {
  const blocks = Array.from({ length: 5 }, (_, index) =>
    Buffer.from(new SharedArrayBuffer(1000)).fill(index),
  );
  const [beside, here] = [new SumsBeside(), sumHere()];
  for (const block of blocks) {
    await here.add(block);
    beside.add(block).catch(() => undefined);
    await wait(60); // a thread that cannot start says so meanwhile
  }
  assert.deepEqual(await beside.end(), await here.end());
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { MessageChannel } from "node:worker_threads";
import { IdleTimer } from "../../../src/registry/http/idle-timer.ts";

/** Holds this thread for longer than the limit of the timer. */
function compute(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe("the idle timer of a registry", () => {
  for (const hasArrived of [true, false])
    it(`after a computation longer than its limit ${hasArrived ? "takes an answer that has arrived" : "expires without an answer"}`, async (t) => {
      const errors: Error[] = [];
      const timer = new IdleTimer({
        onExpired: (error) => errors.push(error),
        onEvent: undefined,
        noticeMs: 60_000,
      });
      // A message is read in the phase of the event loop in which sockets are.
      const { port1, port2 } = new MessageChannel();
      t.after(() => port1.close());
      t.after(() => timer.stop());
      const heard = new Promise<void>((resolve) => {
        port1.on("message", (isAnswer) => {
          if (isAnswer) timer.stop();
          resolve();
        });
      });
      await turn();
      timer.start("the registry gave no answer", 20);
      port2.postMessage(hasArrived);
      compute(60);
      await heard;
      await turn();
      await turn();
      assert.deepEqual(
        errors.map((error) => Object.entries(error)),
        hasArrived ? [] : [[["code", "ETIMEDOUT"]]],
      );
    });
});

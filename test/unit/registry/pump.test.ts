import assert from "node:assert/strict";
import { once } from "node:events";
import { Duplex } from "node:stream";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { pump } from "../../../src/registry/http/pump.ts";

const KIB = 1024;

/** What goes on a slow line, looked at only when it has gone. */
function slowLine() {
  const taken: Buffer[] = [];
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      setTimeout(() => {
        taken.push(Buffer.from(chunk));
        done();
      }, 2);
    },
  });
  return { taken, stream };
}

/** Pieces that all lie in the same two memories. */
async function* lent(...values: readonly number[]): AsyncGenerator<Buffer, void, void> {
  const memory = [Buffer.alloc(64 * KIB), Buffer.alloc(64 * KIB)];
  for (const [index, value] of values.entries()) yield memory[index % 2]?.fill(value) ?? Buffer.alloc(0);
}

describe("a body that is pumped", () => {
  it("goes out as it was, from memory that is used again", async () => {
    const { taken, stream } = slowLine();
    await pump(lent(1, 2, 3, 4, 5), stream, () => undefined);
    const expected = [1, 2, 3, 4, 5].map((value) => Buffer.alloc(64 * KIB, value));
    assert.equal(Buffer.concat(taken).equals(Buffer.concat(expected)), true);
  });

  it("ends the stream, and has told of all its bytes", async () => {
    const { stream } = slowLine();
    const told: number[] = [];
    await pump(lent(1, 2), stream, (bytes) => told.push(bytes));
    assert.deepEqual([stream.writableFinished, told], [true, [64 * KIB, 128 * KIB]]);
  });

  it("is read while it is sent", async () => {
    const order: string[] = [];
    async function* source(): AsyncGenerator<Buffer, void, void> {
      for (const name of ["first", "second"]) {
        order.push(`read ${name}`);
        yield Buffer.alloc(10);
      }
    }
    const stream = new Duplex({
      read() {},
      write(_chunk, _encoding, done) {
        setTimeout(() => {
          order.push("sent");
          done();
        }, 5);
      },
    });
    await pump(source(), stream, () => undefined);
    assert.deepEqual(order, ["read first", "read second", "sent", "sent"]);
  });

  it("fails with its source's error, which the stream ends with", async () => {
    const { stream } = slowLine();
    const broken = new Error("the disk is gone");
    async function* source(): AsyncGenerator<Buffer, void, void> {
      yield Buffer.alloc(10);
      throw broken;
    }
    const ended = once(stream, "error");
    await assert.rejects(
      pump(source(), stream, () => undefined),
      broken,
    );
    assert.deepEqual(await ended, [broken]);
  });

  it("stops, and lets go of its source, when the stream is destroyed without a word", async () => {
    const stream = new Duplex({ read() {}, write() {} });
    let released = false;
    async function* source(): AsyncGenerator<Buffer, void, void> {
      try {
        for (;;) yield Buffer.alloc(10);
      } finally {
        released = true;
      }
    }
    const pumping = pump(source(), stream, () => undefined);
    await delay(5);
    stream.destroy();
    await assert.rejects(pumping);
    assert.equal(released, true);
  });
});

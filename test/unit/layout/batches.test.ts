import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createBatches } from "../../../src/blobs/batches.ts";
import { copy } from "../../../src/blobs/copy.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Bytes that tell where they are. */
function numbered(length: number): Buffer {
  return Buffer.from(
    Array.from({ length: Math.ceil(length / 4) }, (_, index) => index * 7919).flatMap((value) => [
      value & 255,
      (value >> 8) & 255,
      (value >> 16) & 255,
      (value >> 24) & 255,
    ]),
  ).subarray(0, length);
}

/** Takes a while, as a disk does, and only then looks at what it was given. */
function slowDisk() {
  const pieces: Buffer[] = [];
  const write = async (bytes: Uint8Array): Promise<void> => {
    await delay(2);
    pieces.push(Buffer.from(bytes));
  };
  return { pieces, write };
}

async function* piecesOf(bytes: Buffer, size: number): AsyncGenerator<Buffer, void, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe("what is written in batches", () => {
  const all = numbered(2 * MIB + 12345);
  for (const size of [1000, 64 * KIB, 512 * KIB - 1, 512 * KIB, MIB]) {
    it(`is the same bytes when it comes in pieces of ${size}`, async () => {
      const { pieces, write } = slowDisk();
      const batches = createBatches(write, Number.POSITIVE_INFINITY);
      for await (const piece of piecesOf(all, size)) await batches.add(piece);
      await batches.end();
      assert.equal(Buffer.concat(pieces).equals(all), true);
    });
  }

  it("is written in few pieces", async () => {
    const { pieces, write } = slowDisk();
    const batches = createBatches(write, MIB);
    for await (const piece of piecesOf(all.subarray(0, MIB), 1000)) await batches.add(piece);
    await batches.end();
    assert.deepEqual(
      pieces.map(({ length }) => length),
      [512 * KIB, 512 * KIB],
    );
  });

  it("may come in memory that is used again for the next piece", async () => {
    const { pieces, write } = slowDisk();
    const batches = createBatches(write, Number.POSITIVE_INFINITY);
    const memory = Buffer.alloc(700 * KIB);
    for await (const piece of piecesOf(all, memory.length)) {
      piece.copy(memory);
      await batches.add(memory.subarray(0, piece.length));
    }
    await batches.end();
    assert.equal(Buffer.concat(pieces).equals(all), true);
  });

  it("fails with the disk's error, even where that comes later", async () => {
    const full = Object.assign(new Error("full"), { code: "ENOSPC" });
    const write = async () => {
      await delay(2);
      throw full;
    };
    const batches = createBatches(write, Number.POSITIVE_INFINITY);
    await batches.add(Buffer.alloc(500 * KIB));
    await batches.add(Buffer.alloc(100 * KIB));
    await assert.rejects(batches.end(), full);
  });
});

describe("a copy", () => {
  it("tells of bytes only when they are written", async () => {
    const { pieces, write } = slowDisk();
    const told: boolean[] = [];
    const onBytes = (bytes: number) =>
      void told.push(bytes === pieces.reduce((sum, { length }) => sum + length, 0));
    await copy(piecesOf(numbered(MIB), 64 * KIB), { write, onBytes });
    assert.deepEqual(told, [true, true]);
  });

  it("that fails has nothing being written any more", async () => {
    const { pieces, write } = slowDisk();
    async function* broken(): AsyncGenerator<Buffer, void, void> {
      yield Buffer.alloc(512 * KIB - 1);
      yield Buffer.alloc(1);
      throw new Error("the line was cut");
    }
    await assert.rejects(copy(broken(), { write }), { message: "the line was cut" });
    assert.equal(pieces.length, 1);
  });
});

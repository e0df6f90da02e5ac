import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { isIncompressible } from "../../../../src/layer/encode/deflate.ts";
import { gzip } from "../../../../src/layer/encode/gzip.ts";
import { bytesOf, noise } from "../../../support/trees.ts";

const MIB = 1024 * 1024;

async function* chunksOf(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function compress(bytes: Uint8Array, { level = 4, size = 65_536 } = {}): Promise<Buffer> {
  return bytesOf(gzip(chunksOf(bytes, size), level));
}

const words = Buffer.from("the quick brown fox jumps over the lazy dog, again and again; ".repeat(60_000));
const mixed = Buffer.concat([words, noise(3 * MIB), words.subarray(0, MIB)]);

describe("gzip", () => {
  for (const length of [0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB, mixed.length]) {
    it(`gives ${length} bytes back`, async () => {
      const bytes = mixed.subarray(0, length);
      assert.ok(gunzipSync(await compress(bytes)).equals(bytes));
    });
  }

  it("gzip does not show how its input was divided", async () => {
    const whole = await compress(mixed, { size: mixed.length });
    for (const size of [511, 65_537, MIB, 3 * MIB + 1]) {
      assert.ok((await compress(mixed, { size })).equals(whole), `${size}`);
    }
  });

  it("gzip has a header that says nothing of time, name and system", async () => {
    const header = (await compress(words)).subarray(0, 10);
    assert.deepEqual([...header], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  });

  it("gzip is one member: nothing follows its trailer", async () => {
    const { buffer, engine } = gunzipSync(await compress(words), { info: true }) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    assert.equal(buffer.length, words.length);
    assert.equal(engine.bytesWritten, (await compress(words)).length);
  });

  it("finds at level 9 what it does not at level 1", async () => {
    assert.ok((await compress(words, { level: 9 })).length < (await compress(words, { level: 1 })).length);
  });

  it("looks back over the border of a block", async () => {
    // The same 16 KiB of noise among zeros: compressible, and cheap only the second time.
    const pattern = Buffer.concat([noise(16_384), Buffer.alloc(8192)]);
    const filled = Buffer.concat([Buffer.alloc(MIB - pattern.length), pattern]);
    const alone = (await compress(filled)).length;
    const twice = (await compress(Buffer.concat([filled, pattern]))).length;
    assert.ok(twice - alone < 4096, `${twice - alone} bytes more`);
  });

  it("stores what does not compress, with less than 0.1 % on top", async () => {
    const bytes = noise(3 * MIB);
    assert.ok((await compress(bytes)).length < bytes.length * 1.001);
  });

  it("passes on the error of its input", () =>
    assert.rejects(
      bytesOf(
        gzip(
          (async function* () {
            yield words;
            throw new Error("torn");
          })(),
          4,
        ),
      ),
      /torn/,
    ));
});

describe("the look of random bytes", () => {
  it("the look of random bytes is told of noise", () => assert.equal(isIncompressible(noise(MIB)), true));
  it("the look of random bytes is not told of text", () =>
    assert.equal(isIncompressible(words.subarray(0, MIB)), false));
  it("the look of random bytes is not told of zeros", () =>
    assert.equal(isIncompressible(Buffer.alloc(MIB)), false));
  it("the look of random bytes is not told of base64", () =>
    assert.equal(isIncompressible(Buffer.from(noise(MIB).toString("base64"))), false));
  it("the look of random bytes is not told of a few bytes", () =>
    assert.equal(isIncompressible(noise(2000)), false));
});

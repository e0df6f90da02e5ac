import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createHttp, type HttpResponse } from "../../../src/registry/http/http.ts";
import { serve } from "../../support/serve.ts";

const MIB = 1024 * 1024;
const BYTES = randomBytes(5 * MIB + 17);

async function answerOf(
  t: TestContext,
  answer: (response: ServerResponse) => unknown,
  stallMs = 30_000,
): Promise<HttpResponse> {
  const http = createHttp({ environment: {}, timeouts: { stallMs } });
  t.after(() => http.close());
  return http.send({ method: "GET", url: await serve(t, (_, response) => void answer(response)) });
}

async function collected(blocks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const copies: Buffer[] = [];
  for await (const block of blocks) copies.push(Buffer.from(block));
  return Buffer.concat(copies);
}

describe("an answer in blocks", () => {
  it("is the same bytes, with and without a length", async (t) => {
    for (const headers of [{ "content-length": BYTES.length }, {}]) {
      const { blocks } = await answerOf(t, (response) => response.writeHead(200, headers).end(BYTES));
      assert.equal((await collected(blocks)).equals(BYTES), true);
    }
  });

  it("is the same bytes for a reader that is slow and holds on to the last block", async (t) => {
    const { blocks } = await answerOf(t, (response) => response.end(BYTES));
    let last: { readonly block: Uint8Array; readonly at: number } | undefined;
    let at = 0;
    for await (const block of blocks) {
      if (last) assert.equal(BYTES.subarray(last.at, last.at + last.block.length).equals(last.block), true);
      last = { block, at };
      at += block.length;
      await delay(5);
    }
    assert.equal(at, BYTES.length);
  });

  it("lives in three pieces of memory", async (t) => {
    const { blocks } = await answerOf(t, (response) => response.end(BYTES));
    const memories = new Set<unknown>();
    for await (const block of blocks) memories.add(block.buffer);
    assert.equal(memories.size, 3);
  });

  it("does not wait for a whole block where little comes", async (t) => {
    const { blocks } = await answerOf(t, async (response) => {
      for (let written = 0; written < 4; written++) {
        response.write("a few bytes");
        await delay(300);
      }
      response.end();
    });
    let count = 0;
    for await (const _ of blocks) count += 1;
    assert.ok(count > 1, `${count} blocks`);
  });

  it("gives what came before it was cut, then fails", async (t) => {
    const { blocks } = await answerOf(t, (response) => {
      response.writeHead(200, { "content-length": BYTES.length });
      response.write(BYTES.subarray(0, 1000), () => setTimeout(() => response.destroy(), 20));
    });
    const copies: Buffer[] = [];
    const reading = async () => {
      for await (const block of blocks) copies.push(Buffer.from(block));
    };
    await assert.rejects(reading(), { code: "ECONNRESET" });
    assert.equal(Buffer.concat(copies).equals(BYTES.subarray(0, 1000)), true);
  });

  it("that stalls ends with ETIMEDOUT", async (t) => {
    const stalls = await answerOf(t, (response) => response.writeHead(200).write("half"), 100);
    await assert.rejects(collected(stalls.blocks), { code: "ETIMEDOUT" });
  });

  it("does not stall as long as bytes come, however few", async (t) => {
    const { blocks } = await answerOf(
      t,
      async (response) => {
        for (let written = 0; written < 8; written++) {
          response.write("x");
          await delay(200);
        }
        response.end();
      },
      1000,
    );
    assert.equal((await collected(blocks)).length, 8);
  });

  it("is given up with its connection when its reader stops", async (t) => {
    let closed = (): void => undefined;
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const { blocks } = await answerOf(t, (response) => {
      response.on("close", closed);
      const more = (): void => void (response.destroyed || response.write(Buffer.alloc(MIB), more));
      more();
    });
    for await (const _ of blocks) break;
    await gone;
  });
});

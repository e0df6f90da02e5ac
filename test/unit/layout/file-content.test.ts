import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { fileContent } from "../../../src/blobs/file-content.ts";
import { digestOf } from "../../../src/oci/digest.ts";

const SIZE = 3 * 1024 * 1024 + 1;

function contentOfFile(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "lambda-pack-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const bytes = randomBytes(SIZE);
  const path = join(folder, "blob");
  writeFileSync(path, bytes);
  const descriptor = { mediaType: "application/octet-stream", digest: digestOf(bytes), size: SIZE };
  return { bytes, content: fileContent(descriptor, path) };
}

describe("a content in a file", () => {
  for (const from of [0, 700_000, SIZE]) {
    it(`is lent from byte ${from} on as it is`, async (t) => {
      const { bytes, content } = contentOfFile(t);
      const seen: Buffer[] = [];
      for await (const piece of content.read(from, undefined, "lent")) seen.push(Buffer.from(piece));
      assert.equal(Buffer.concat(seen).equals(bytes.subarray(from)), true);
    });
  }

  it("is lent in two pieces of memory, each good until the next but one is asked for", async (t) => {
    const { bytes, content } = contentOfFile(t);
    const memories = new Set<unknown>();
    let at = 0;
    let last: { readonly piece: Uint8Array; readonly at: number } = { piece: new Uint8Array(), at: 0 };
    for await (const piece of content.read(0, undefined, "lent")) {
      memories.add(piece.buffer);
      assert.equal(bytes.subarray(last.at, last.at + last.piece.length).equals(last.piece), true);
      last = { piece, at };
      at += piece.length;
    }
    assert.equal(memories.size, 2);
  });

  it("is given in memory of its own where nobody said lent", async (t) => {
    const { bytes, content } = contentOfFile(t);
    const seen: Uint8Array[] = [];
    for await (const piece of content.read()) seen.push(piece);
    assert.equal(Buffer.concat(seen).equals(bytes), true);
  });
});

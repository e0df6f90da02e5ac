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
  const directory = mkdtempSync(join(tmpdir(), "lambda-pack-test-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const bytes = randomBytes(SIZE);
  const path = join(directory, "blob");
  writeFileSync(path, bytes);
  const descriptor = { mediaType: "application/octet-stream", digest: digestOf(bytes), size: SIZE };
  return { bytes, content: fileContent(descriptor, path) };
}

describe("the content of a file", () => {
  for (const from of [0, 700_000, SIZE]) {
    it(`the content of a file is read from byte ${from} to its end`, async (t) => {
      const { bytes, content } = contentOfFile(t);
      const seen: Uint8Array[] = [];
      for await (const piece of content.read(from)) seen.push(piece);
      assert.equal(Buffer.concat(seen).equals(bytes.subarray(from)), true);
    });
  }
});

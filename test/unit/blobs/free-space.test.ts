import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openBlobs } from "../../../src/blobs/blobs.ts";
import type { Content } from "../../../src/oci/content.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { failsWith } from "../../support/errors.ts";
import { pathsIn, temporaryDirectory } from "../../support/trees.ts";

const PETABYTES_8 = 2 ** 53 - 1;

describe("a blob that is larger than the free space of the disk", () => {
  it("a blob that is larger than the free space of the disk is refused with both sizes before its first byte is read", async () => {
    const root = temporaryDirectory();
    let reads = 0;
    const content: Content = {
      descriptor: { mediaType: "application/x-tar", digest: digestOf("large"), size: PETABYTES_8 },
      async *read() {
        reads++;
        yield Buffer.from("large");
      },
    };
    await assert.rejects(
      openBlobs(root).put(content),
      failsWith("WRITE_FAILED", /^cannot write to .*sha256: \d+ MB are needed and \d+ MB are free$/),
    );
    assert.equal(reads, 0);
    assert.deepEqual(pathsIn(root), ["blobs", "blobs/sha256"]);
  });
});

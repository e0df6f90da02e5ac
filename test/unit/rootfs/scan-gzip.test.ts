import assert from "node:assert/strict";
import { readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { fileContent } from "../../../src/blobs/file-content.ts";
import type { Content } from "../../../src/oci/content.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { scanLayer } from "../../../src/rootfs/scan.ts";
import { failsWith } from "../../support/errors.ts";
import { TAR_END, tarFile, tarHeader } from "../../support/formats/tar-blocks.ts";
import { noise, temporaryDirectory } from "../../support/trees.ts";

const TAR = Buffer.concat([tarFile("a", "1"), tarFile("b", noise(300_000)), TAR_END]);
const GZIP = gzipSync(TAR);
const VISITOR = { enter: () => undefined };

function contentOf(bytes: Uint8Array, piece = bytes.length): Content {
  return {
    descriptor: { mediaType: "application/gzip", digest: digestOf(bytes), size: bytes.length },
    async *read() {
      for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
    },
  };
}

describe("what follows the gzip data of a layer", () => {
  for (const piece of [1000, 65_536, 10_000_000]) {
    it(`zeros behind the end are padding (read in pieces of ${piece} bytes)`, async () => {
      const bytes = Buffer.concat([GZIP, Buffer.alloc(100_000)]);
      const { digest, diffId, size } = await scanLayer(contentOf(bytes, piece), VISITOR);
      assert.deepEqual([digest, diffId, size], [digestOf(bytes), digestOf(TAR), bytes.length]);
    });

    it(`other bytes behind the end or behind zeros are damage (pieces of ${piece} bytes)`, async () => {
      for (const behind of ["junk", `${"\0".repeat(70_000)}junk`])
        await assert.rejects(
          scanLayer(contentOf(Buffer.concat([GZIP, Buffer.from(behind)]), piece), VISITOR),
          failsWith("IMAGE_INVALID", /is damaged: its gzip/),
        );
    });
  }
});

describe("errors while a layer is read", () => {
  it("an error of the source is the one that is thrown, with gzip and without", async () => {
    for (const bytes of [GZIP, TAR]) {
      const content = contentOf(bytes);
      const failing: Content = {
        ...content,
        async *read() {
          yield bytes.subarray(0, 1000);
          throw new Error("the disk is gone");
        },
      };
      await assert.rejects(scanLayer(failing, VISITOR), /the disk is gone/);
    }
  });

  it("an error of the visitor is the one that is thrown", async () => {
    const enter = () => {
      throw new Error("enough");
    };
    await assert.rejects(scanLayer(contentOf(GZIP, 1000), { enter }), /^Error: enough$/);
  });

  const skip = process.platform === "linux" ? false : "needs /proc";
  it("no file stays open after layers of zstd, broken gzip and broken tars", { skip }, async () => {
    const directory = temporaryDirectory();
    const broken: Readonly<Record<string, Uint8Array>> = {
      zstd: Buffer.concat([Buffer.from("28b52ffd", "hex"), noise(500_000)]),
      "cut gzip": GZIP.subarray(0, 100_000),
      "damaged tar": Buffer.concat([tarHeader({ size: 5 }), Buffer.alloc(500_000, 1)]),
      "damaged tar in gzip": gzipSync(Buffer.concat([tarFile("a", "1"), noise(500_000)])),
    };
    for (const [name, bytes] of Object.entries(broken)) {
      const path = join(directory, name);
      writeFileSync(path, bytes);
      const { descriptor } = contentOf(bytes);
      await assert.rejects(scanLayer(fileContent(descriptor, path), VISITOR), name);
    }
    const open = readdirSync("/proc/self/fd").flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)];
      } catch {
        return []; // the one that listed the directory
      }
    });
    assert.deepEqual(
      open.filter((path) => path.startsWith(directory)),
      [],
    );
  });
});

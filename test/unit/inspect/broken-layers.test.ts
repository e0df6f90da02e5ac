import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readlinkSync } from "node:fs";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { check, diff, inspect } from "../../../src/index.ts";
import { tarFile, tarHeader } from "../../support/formats/tar-blocks.ts";
import { BASE_LAYER, GOOD, tarOf, writeImage } from "../../support/images/check-image.ts";

const TYPE = "application/vnd.oci.image.layer.v1.tar";
const LARGE = randomBytes(2 * 1024 * 1024);
const settings = { environment: {}, cache: false } as const;

/** A broken layer is noticed long before its end, so that much of it is unread. */
const BROKEN: Readonly<Record<string, readonly [type: string, layer: Buffer]>> = {
  "a damaged header": [TYPE, Buffer.concat([tarHeader({ size: 5 }), Buffer.alloc(512), LARGE])],
  "bytes that are not a tar": [TYPE, LARGE],
  "a file that is cut off": [TYPE, tarFile("var/task/app.py", LARGE).subarray(0, 1_000_000)],
  "gzip in place of a tar": [TYPE, gzipSync(LARGE)],
  "a damaged tar in gzip": [`${TYPE}+gzip`, gzipSync(Buffer.concat([tarFile("a", "1"), LARGE]))],
  "zstd that is none": [`${TYPE}+zstd`, LARGE],
};

/** Returns the files below `directory` that this process has open. */
function openFiles(directory: string): readonly string[] {
  const open = readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // the one that listed the directory
    }
  });
  return open.filter((path) => path.startsWith(directory));
}

describe("an image with a broken layer", () => {
  const skip = process.platform === "linux" ? false : "needs /proc";
  for (const [what, [layerType, layer]] of Object.entries(BROKEN)) {
    it(`of ${what} leaves no file open after inspect, check and diff`, { skip }, async () => {
      const base = layerType === TYPE ? await tarOf(BASE_LAYER) : gzipSync(await tarOf(BASE_LAYER));
      const source = await writeImage({ ...GOOD, layers: [base, layer], layerType });
      const directory = source.replace(/^oci:(.*):v1$/, "$1");
      await inspect({ source, ...settings }).catch(() => undefined);
      const { findings } = await check({ source, deep: true, ...settings });
      assert.ok(findings.some(({ rule, message }) => rule === "layer-content" && /layer 2/.test(message)));
      await diff({ before: source, after: source, why: true, ...settings }).catch(() => undefined);
      assert.deepEqual(openFiles(directory), []);
    });
  }
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deflateRawSync, gzipSync } from "node:zlib";
import { LambdaPackError } from "../../../src/errors.ts";
import type { Content } from "../../../src/oci/content.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { scanLayer } from "../../../src/rootfs/scan.ts";
import { scanImage } from "../../../src/rootfs/scan-image.ts";
import type { LayerEntry } from "../../../src/tar/layer-entry.ts";
import { paxHeader, TAR_END, tarHeader } from "../../support/formats/tar-blocks.ts";
import { directories, file, type TestEntry, tarOf } from "../../support/images/check-image.ts";

/** The bytes in pieces of `piece`. */
function contentOf(bytes: Uint8Array, piece = 65_536): Content {
  return {
    descriptor: {
      mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
      digest: digestOf(bytes),
      size: bytes.length,
    },
    async *read() {
      for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
    },
  };
}

async function entriesOf(bytes: Uint8Array, piece?: number): Promise<readonly LayerEntry[]> {
  const entries: LayerEntry[] = [];
  const enter = (entry: LayerEntry) => void entries.push(entry);
  await scanLayer(contentOf(bytes, piece), { enter });
  return entries;
}

const TREE: readonly TestEntry[] = [
  ...directories("var", "var/task"),
  file("var/task/app.py", "x".repeat(700)),
  file(`var/task/${"long/".repeat(40)}name.py`, "y"),
  file("var/task/grüße.txt", "z", 0o755),
  { name: "var/task/link", type: "symlink", linkname: `${"far/".repeat(40)}away` },
];

describe("a layer that is read", () => {
  it("a layer that is read has the entries of its tar, however its bytes are cut", async () => {
    const tar = await tarOf(TREE);
    const whole = await entriesOf(tar);
    assert.deepEqual(
      whole.map(({ path, kind, mode, size, link }) => [path, kind, mode, size, link]),
      [
        ["var", "directory", 0o755, 0, ""],
        ["var/task", "directory", 0o755, 0, ""],
        ["var/task/app.py", "file", 0o644, 700, ""],
        [`var/task/${"long/".repeat(40)}name.py`, "file", 0o644, 1, ""],
        ["var/task/grüße.txt", "file", 0o755, 1, ""],
        ["var/task/link", "symlink", 0o644, 0, `${"far/".repeat(40)}away`],
      ],
    );
    for (const piece of [1, 100, 511, 513]) assert.deepEqual(await entriesOf(tar, piece), whole);
  });

  it("a layer that is read is told with its digests and sizes, gzip or not", async () => {
    const tar = await tarOf(TREE);
    const visitor = { enter: () => undefined };
    const gzip = gzipSync(tar);
    const scan = { diffId: digestOf(tar), bytes: tar.length, entries: 6 };
    assert.deepEqual(await scanLayer(contentOf(gzip), visitor), {
      ...scan,
      digest: digestOf(gzip),
      size: gzip.length,
      compression: "gzip",
    });
    assert.deepEqual(await scanLayer(contentOf(tar), visitor), {
      ...scan,
      digest: digestOf(tar),
      size: tar.length,
      compression: "none",
    });
  });

  it("may be several gzip members one after the other, as eStargz has them", async () => {
    const tar = await tarOf(TREE);
    const members = Buffer.concat([gzipSync(tar.subarray(0, 1000)), gzipSync(tar.subarray(1000))]);
    assert.equal((await entriesOf(members)).length, 6);
  });

  it("gives the start and the end of the files that are wanted", async () => {
    const body = Buffer.from(Array.from({ length: 10_000 }, (_, index) => index % 251));
    const taken: [string, Buffer, Buffer][] = [];
    const tar = await tarOf([file("a", body), file("b", "short")]);
    await scanLayer(contentOf(tar, 777), {
      enter: () => ({ head: 100, tail: 2000 }),
      leave: ({ name }, head, tail) => void taken.push([name, head, tail]),
    });
    assert.deepEqual(taken, [
      ["a", body.subarray(0, 100), body.subarray(-2000)],
      ["b", Buffer.from("short"), Buffer.from("short")],
    ]);
  });
});

describe("layers together", () => {
  const layers = async (...trees: readonly (readonly TestEntry[])[]) => {
    const contents = await Promise.all(trees.map(async (tree) => contentOf(gzipSync(await tarOf(tree)))));
    return (await scanImage(contents)).view;
  };

  it("show of each path the highest entry, and what whiteouts leave", async () => {
    const view = await layers(
      [
        ...directories("a", "a/old", "b", "c"),
        file("a/1", "one"),
        file("a/old/x", "x"),
        file("b/2", "two"),
        file("c/3", "three"),
        file("d", "d"),
      ],
      [
        ...directories("a"),
        file("a/1", "ones"),
        file("a/.wh.old"),
        ...directories("b"),
        file("b/.wh..wh..opq"),
        file("b/new", "n"),
        file(".wh.d"),
      ],
      [file("c", "a file now")],
    );
    const seen = [...view.entries()].map(({ path, size, layer }) => `${path} ${size} ${layer}`).sort();
    assert.deepEqual(seen, ["a 0 1", "a/1 4 1", "b 0 1", "b/new 1 1", "c 10 2"]);
    assert.deepEqual(view.list("b"), ["new"]);
    assert.equal(view.get("d"), undefined);
    const totals = view
      .totals()
      .map(({ files, bytes, hidden }) => [files, bytes, hidden.files, hidden.bytes]);
    assert.deepEqual(totals[0], [5, 13, 5, 13]);
    assert.deepEqual(
      view.replaced().map(({ path, layer, by }) => [path, layer, by]),
      [["a/1", 0, 1]],
    );
  });

  it("layers together are followed through links as Linux does, and not in circles", async () => {
    const view = await layers([
      ...directories("usr", "usr/bin"),
      { name: "bin", type: "symlink", linkname: "usr/bin" },
      file("usr/bin/dash", "", 0o755),
      { name: "usr/bin/sh", type: "symlink", linkname: "dash" },
      { name: "up", type: "symlink", linkname: "../../../usr" },
      { name: "round", type: "symlink", linkname: "round" },
    ]);
    assert.equal(view.resolve("/bin/sh")?.path, "usr/bin/dash");
    assert.equal(view.resolve("/up/bin/dash")?.path, "usr/bin/dash");
    assert.equal(view.resolve("/round"), undefined);
  });
});

it("a directory that only something in it tells of is on the way to that", async () => {
  const { view } = await scanImage([contentOf(gzipSync(await tarOf([file("opt/lib/a", "a")])))]);
  assert.equal(view.resolve("/opt/lib/a")?.size, 1);
  assert.equal(view.resolve("/opt/lib")?.kind, "directory");
  assert.equal(view.resolve("/opt/other"), undefined);
});

describe("an image with deep paths", () => {
  it("paths 2,000 directories deep are read, looked up and listed", async () => {
    const deep = "d/".repeat(2000);
    const parts = Array.from({ length: 4000 }, (_, n) => [
      paxHeader(["path", `${deep}${n}`]),
      tarHeader({ name: "x" }),
    ]).flat();
    const { view } = await scanImage([contentOf(Buffer.concat([...parts, TAR_END]))]);
    assert.equal([...view.entries()].length, 4000);
    assert.equal(view.list(deep.slice(0, -1)).length, 4000);
    assert.equal(view.get(`${deep}7`)?.kind, "file");
  });
});

describe("a hostile layer", () => {
  const broken = (bytes: Uint8Array, says: RegExp, code = "IMAGE_INVALID") =>
    assert.rejects(
      entriesOf(bytes),
      (error) => error instanceof LambdaPackError && error.code === code && says.test(error.message),
    );

  it("that is not a tar is told so", () => broken(gzipSync(Buffer.alloc(2000, 1)), /is not a tar/));
  it("whose gzip is cut off is told so", async () =>
    broken(gzipSync(await tarOf(TREE)).subarray(0, 200), /gzip ends early or is wrong/));
  it("whose tar is cut off is told so", async () =>
    broken(gzipSync((await tarOf(TREE)).subarray(0, 1800)), /is cut off/));
  it("with a damaged header is told so", async () => {
    const tar = await tarOf(TREE);
    tar[600] = 7;
    await broken(tar, /is damaged, near byte/);
  });
  it("with a PAX header of 2 GB is not taken into memory", async () => {
    const tar = await tarOf([{ name: "x", pax: { comment: "y" } }]);
    await broken(withSize(tar.subarray(0, 512), 2 ** 31), /extended header of more than 1 MiB/);
  });
  it("of zstd is named", () => broken(Buffer.from("28b52ffd0000", "hex"), /zstd/, "IMAGE_UNSUPPORTED"));

  it("that is a bomb is stopped at a thousand times its size", { timeout: 60_000 }, async () => {
    await broken(bomb(600), /inflates to more than 1000 times its size/);
  });

  it("of more than the image may have is stopped there", async () => {
    const budget = { left: 1_000_000 };
    const tar = await tarOf([file("a", Buffer.alloc(2_000_000))]);
    await assert.rejects(
      scanLayer(contentOf(gzipSync(tar)), { enter: () => undefined }, { budget }),
      /more than 10 GB/,
    );
  });

  it("a hostile layer is stopped by a signal", async () => {
    const content = { ...contentOf(bomb(100)) };
    await assert.rejects(
      scanLayer(content, { enter: () => undefined }, { signal: AbortSignal.abort(new Error("enough")) }),
      /enough|abort/i,
    );
  });

  it("leaves the others to be read", async () => {
    const good = contentOf(gzipSync(await tarOf(TREE)));
    const { layers, view } = await scanImage([contentOf(Buffer.from("no layer at all")), good]);
    assert.deepEqual(
      layers.map(({ ok }) => ok),
      [false, true],
    );
    assert.equal(view.get("var/task/app.py")?.size, 700);
  });
});

/** The header with another size, and the checksum for it. */
function withSize(block: Buffer, size: number): Buffer {
  const header = Buffer.from(block);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

/** A file of `mebibytes` of zeros, deflated as far as deflate can: 1 to 1030. */
function bomb(mebibytes: number): Buffer {
  const header = withSize(Buffer.from(`zeros${"\0".repeat(507)}`), mebibytes * 2 ** 20);
  const zeros = deflateRawSync(Buffer.alloc(2 ** 20), { level: 9, finishFlush: 3 });
  const start = deflateRawSync(header, { finishFlush: 3 });
  const gzipHeader = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  return Buffer.concat([gzipHeader, start, ...Array.from({ length: mebibytes }, () => zeros)]);
}

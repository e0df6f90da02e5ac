import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pack } from "tar-stream";
import { listTar } from "../../../src/tar/tar-file.ts";
import { BLOCK, decodeHeader, encodeHeader } from "../../../src/tar/tar-header.ts";
import { failsWith } from "../../support/file-facts.ts";
import { temporaryFolder } from "../../support/small-image.ts";

const folder = temporaryFolder();
let count = 0;

function file(...blocks: readonly Uint8Array[]): string {
  const path = join(folder, `${++count}.tar`);
  writeFileSync(path, Buffer.concat(blocks));
  return path;
}

function padded(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}

/** A header of another type: the type is at byte 156, and the checksum follows from it. */
function header(type: string, name: string, size: number): Buffer {
  const block = Buffer.from(encodeHeader(name, size));
  const sum = Number.parseInt(block.toString("latin1", 148, 154), 8) - 0x30 + type.charCodeAt(0);
  block.write(type, 156);
  block.write(sum.toString(8).padStart(6, "0"), 148);
  return block;
}

const END = Buffer.alloc(2 * BLOCK);
const list = async (path: string) => Object.fromEntries(await listTar(path));

describe("a tar header", () => {
  it("is read as it was written", () => {
    const read = decodeHeader(Buffer.from(encodeHeader("blobs/sha256/ab", 1234)));
    assert.deepEqual(read, { name: "blobs/sha256/ab", size: 1234, type: "0", link: "" });
  });

  it("holds sizes on both sides of 8 GiB", () => {
    for (const size of [0, 8 ** 11 - 1, 8 ** 11, 5 * 1024 ** 4]) {
      assert.equal(decodeHeader(Buffer.from(encodeHeader("layer", size)))?.size, size);
    }
  });

  it("is none when a bit is flipped anywhere in it", () => {
    for (let at = 0; at < BLOCK; at++) {
      const block = Buffer.from(encodeHeader("layer.tar", 5));
      block[at] = (block[at] ?? 0) ^ 2;
      assert.equal(decodeHeader(block), undefined, `byte ${at}`);
    }
  });
});

describe("a tar archive", () => {
  it("says where the bytes of each file are", async () => {
    const path = file(
      encodeHeader("a", 3),
      padded("aaa"),
      encodeHeader("b", 0),
      encodeHeader("c", 600),
      padded("c".repeat(600)),
      END,
    );
    assert.deepEqual(await list(path), {
      a: { kind: "file", offset: 512, size: 3 },
      b: { kind: "file", offset: 1536, size: 0 },
      c: { kind: "file", offset: 2048, size: 600 },
    });
  });

  it("may end without the blocks of zeros", async () => {
    assert.deepEqual(Object.keys(await list(file(encodeHeader("a", 3), padded("aaa")))), ["a"]);
  });

  it("has the last of two files of one name", async () => {
    const path = file(encodeHeader("a", 0), encodeHeader("./a", 3), padded("aaa"), END);
    assert.deepEqual(await list(path), { a: { kind: "file", offset: 1024, size: 3 } });
  });

  it("may have PAX names, links and sizes", async () => {
    const long = `${"folder/".repeat(30)}layer.tar`;
    const archive = pack();
    archive.entry({ name: long, pax: { comment: "why not" } }, "data");
    archive.entry({ name: "link", type: "symlink", linkname: `${long}ä` });
    archive.finalize();
    const chunks: Uint8Array[] = [];
    for await (const chunk of archive) chunks.push(chunk as Uint8Array);
    const members = await listTar(file(...chunks));
    assert.equal(members.get(long)?.kind, "file");
    const link = members.get("link");
    assert.equal(link?.kind === "symlink" && link.target, `${long}ä`);
  });

  it("takes the size of a PAX header for the file, not for the header", async () => {
    const records = "10 size=3\n";
    const path = file(
      header("x", "pax", records.length),
      padded(records),
      encodeHeader("a", 0),
      padded("aaa"),
      encodeHeader("b", 0),
      END,
    );
    assert.deepEqual(Object.keys(await list(path)), ["a", "b"]);
  });

  it("may have GNU long names and links", async () => {
    const long = "n".repeat(300);
    const path = file(
      header("L", "././@LongLink", long.length + 1),
      padded(`${long}\0`),
      encodeHeader("n", 0),
      header("K", "././@LongLink", long.length + 1),
      padded(`${long}\0`),
      header("2", "link", 0),
      END,
    );
    assert.deepEqual(await list(path), {
      [long]: { kind: "file", offset: 1536, size: 0 },
      link: { kind: "symlink", target: long },
    });
  });

  it("may have folders, devices and global headers, which are passed over", async () => {
    const path = file(
      header("5", "folder/", 0),
      header("3", "tty", 0),
      header("g", "global", 10),
      padded("10 a=bcde\n"),
      encodeHeader("a", 0),
      END,
    );
    assert.deepEqual(Object.keys(await list(path)), ["a"]);
  });

  const wrong: Readonly<Record<string, readonly [words: RegExp, blocks: readonly Uint8Array[]]>> = {
    text: [/is no tar archive/, [padded("hello")]],
    "zeros only": [/is no tar archive/, [END]],
    "a member longer than the file": [/is cut off within a/, [encodeHeader("a", 5000), padded("aaa")]],
    "half a header": [
      /damaged or cut off at byte 512/,
      [encodeHeader("a", 0), encodeHeader("b", 0).subarray(0, 200)],
    ],
    "a PAX record of a wrong length": [
      /damaged at byte 512/,
      [header("x", "pax", 9), padded("99 a=bcd\n"), encodeHeader("a", 0), END],
    ],
    "a PAX size that is no number": [
      /damaged at byte 512/,
      [header("x", "pax", 11), padded("11 size=-3\n"), encodeHeader("a", 0), END],
    ],
    "a PAX header of 2 MiB": [
      /damaged at byte 512/,
      [header("x", "pax", 2 ** 21), Buffer.alloc(2 ** 21), encodeHeader("a", 0), END],
    ],
  };
  for (const [name, [words, blocks]] of Object.entries(wrong)) {
    it(`is not ${name}`, async () => {
      await assert.rejects(listTar(file(...blocks)), failsWith("LAYOUT_INVALID", words));
    });
  }
});

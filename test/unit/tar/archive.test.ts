import assert from "node:assert/strict";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pack } from "tar-stream";
import { indexArchive, writeArchive } from "../../../src/tar/archive.ts";
import { failsWith } from "../../support/errors.ts";
import { temporaryDirectory } from "../../support/trees.ts";

const BLOCK = 512;
const END = Buffer.alloc(2 * BLOCK);
const directory = temporaryDirectory();
let count = 0;

function file(...blocks: readonly Uint8Array[]): string {
  const path = join(directory, `${++count}.tar`);
  writeFileSync(path, Buffer.concat(blocks));
  return path;
}

function padded(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}

function header(type: string, name: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, 100, "latin1");
  block.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  block.write("        ", 148);
  block.write(type, 156);
  block.write("ustar\u000000", 257, "latin1");
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
  );
  return block;
}

const regular = (name: string, size: number) => header("0", name, size);
const list = async (path: string) => Object.fromEntries(await indexArchive(path));

async function* chunksOf(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function written(...files: Parameters<typeof writeArchive>[0][]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (const some of files) for await (const chunk of writeArchive(some)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("writeArchive", () => {
  it("writes an archive whose index finds the bytes of every file", async () => {
    const bytes = await written([
      { name: "oci-layout", size: 5, read: () => chunksOf("ab", "cde") },
      { name: "empty", size: 0, read: () => chunksOf() },
      { name: "index.json", size: 600, read: () => chunksOf("x".repeat(600)) },
    ]);
    const members = await indexArchive(file(bytes));
    const texts = [...members].map(([name, member]) => {
      assert.ok(member.kind === "file");
      return [name, bytes.toString("utf8", member.offset, member.offset + member.size)];
    });
    assert.deepEqual(texts, [
      ["oci-layout", "abcde"],
      ["empty", ""],
      ["index.json", "x".repeat(600)],
    ]);
  });

  it("writeArchive gives the error of a file that cannot be read", async () => {
    const read = () =>
      (async function* (): AsyncGenerator<Uint8Array> {
        yield Buffer.from("a");
        throw new Error("the disk is gone");
      })();
    await assert.rejects(written([{ name: "a", size: 2, read }]), /the disk is gone/);
  });
});

describe("indexArchive", () => {
  it("indexArchive says where the bytes of each file are", async () => {
    const path = file(
      regular("a", 3),
      padded("aaa"),
      regular("b", 0),
      regular("c", 600),
      padded("c".repeat(600)),
      END,
    );
    assert.deepEqual(await list(path), {
      a: { kind: "file", offset: 512, size: 3 },
      b: { kind: "file", offset: 1536, size: 0 },
      c: { kind: "file", offset: 2048, size: 600 },
    });
  });

  it("indexArchive finds the file behind one of 3 GiB with holes", async () => {
    const size = 3 * 1024 ** 3;
    const path = file(regular("large", size));
    truncateSync(path, BLOCK + size);
    writeFileSync(path, Buffer.concat([regular("small", 3), padded("aaa"), END]), { flag: "a" });
    const members = await indexArchive(path);
    assert.deepEqual(members.get("small"), { kind: "file", offset: 2 * BLOCK + size, size: 3 });
  });

  it("indexArchive takes an archive without the blocks of zeros at its end", async () => {
    assert.deepEqual(Object.keys(await list(file(regular("a", 3), padded("aaa")))), ["a"]);
  });

  it("indexArchive gives the last of two files of one name, ./ or not", async () => {
    const path = file(regular("a", 0), regular("./a", 3), padded("aaa"), END);
    assert.deepEqual(await list(path), { a: { kind: "file", offset: 1024, size: 3 } });
  });

  it("indexArchive reads PAX names, links and sizes", async () => {
    const long = `${"directory/".repeat(30)}layer.tar`;
    const archive = pack();
    archive.entry({ name: long, pax: { comment: "why not" } }, "data");
    archive.entry({ name: "link", type: "symlink", linkname: `${long}ä` });
    archive.finalize();
    const chunks: Uint8Array[] = [];
    for await (const chunk of archive) chunks.push(chunk as Uint8Array);
    const records = "10 size=3\n";
    const sized = [header("x", "pax", records.length), padded(records), regular("a", 0), padded("aaa")];
    const members = await indexArchive(file(...sized, ...chunks));
    assert.equal(members.get(long)?.kind, "file");
    assert.deepEqual(members.get("link"), { kind: "symlink", target: `${long}ä` });
    assert.deepEqual(members.get("a"), { kind: "file", offset: 1536, size: 3 });
  });

  it("indexArchive reads GNU long names and links", async () => {
    const long = "n".repeat(300);
    const path = file(
      header("L", "././@LongLink", long.length + 1),
      padded(`${long}\0`),
      regular("n", 0),
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

  it("indexArchive passes over directories, devices and global headers", async () => {
    const path = file(
      header("5", "directory/", 0),
      header("3", "tty", 0),
      header("g", "global", 10),
      padded("10 a=bcde\n"),
      regular("a", 0),
      END,
    );
    assert.deepEqual(Object.keys(await list(path)), ["a"]);
  });

  const damaged = regular("layer.tar", 5);
  damaged[3] = (damaged[3] ?? 0) ^ 2;
  const wrong: Readonly<Record<string, readonly [words: RegExp, blocks: readonly Uint8Array[]]>> = {
    "a text": [/is not a tar archive/, [padded("hello")]],
    "a file of zeros": [/is not a tar archive/, [END]],
    "a header with a changed bit": [/is not a tar archive/, [damaged, padded("aaaaa")]],
    "a member that is longer than the file": [/is cut off within a/, [regular("a", 5000), padded("aaa")]],
    "half a header": [/damaged or cut off at byte 512/, [regular("a", 0), regular("b", 0).subarray(0, 200)]],
    "a PAX header of 5 MiB": [
      /damaged/,
      [regular("b", 0), header("x", "pax", 5 * 2 ** 20), Buffer.alloc(5 * 2 ** 20), regular("a", 0), END],
    ],
  };
  for (const [name, [words, blocks]] of Object.entries(wrong)) {
    it(`indexArchive refuses ${name}`, async () => {
      await assert.rejects(indexArchive(file(...blocks)), failsWith("LAYOUT_INVALID", words));
    });
  }
});

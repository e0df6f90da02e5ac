import assert from "node:assert/strict";
import { readdirSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { extract, type Header } from "tar-stream";
import { tar } from "../../../../src/layer/encode/tar.ts";
import { type Entry, withParents } from "../../../../src/tar/entry.ts";
import { bytesOf, makeTree, temporaryDirectory } from "../../../support/trees.ts";

const epoch = new Date(0);
const directory = (path: string, mode = 0o755): Entry => ({ kind: "directory", path, mode });
const link = (path: string, target: string): Entry => ({ kind: "symlink", path, target });

async function headersOf(entries: readonly Entry[], mtime = epoch): Promise<readonly Header[]> {
  const reader = extract();
  const headers: Header[] = [];
  reader.end(await bytesOf(tar(entries, { mtime })));
  for await (const entry of reader) {
    headers.push(entry.header);
    entry.resume();
  }
  return headers;
}

function fileIn(directory: string, name: string, size: number): Entry {
  return { kind: "file", path: name, mode: 0o644, size, source: join(directory, name) };
}

describe("a tar", () => {
  it("a tar has modes as given, also 0000 and the sticky bit", async () => {
    const headers = await headersOf([directory("none", 0), directory("tmp", 0o1777), directory("usual")]);
    assert.deepEqual(
      headers.map(({ mode }) => mode),
      [0, 0o1777, 0o755],
    );
  });

  it("says nothing of owners", async () => {
    const [header] = await headersOf([link("a", "b")]);
    const { uid, gid, uname, gname } = header ?? {};
    assert.deepEqual({ uid, gid, uname, gname }, { uid: 0, gid: 0, uname: "", gname: "" });
  });

  it("holds files of no bytes", async () => {
    const [header] = await headersOf([fileIn(makeTree({ empty: "" }), "empty", 0)]);
    assert.deepEqual([header?.name, header?.type, header?.size], ["empty", "file", 0]);
  });

  for (const length of [1, 511, 512, 513, 256 * 1024, 256 * 1024 + 1, 700_000]) {
    it(`pads a file of ${length} bytes to whole records and ends with two empty ones`, async () => {
      const content = Buffer.alloc(length, "x");
      const bytes = await bytesOf(tar([fileIn(makeTree({ f: content }), "f", length)], { mtime: epoch }));
      assert.equal(bytes.length, 512 + Math.ceil(length / 512) * 512 + 1024);
      assert.ok(bytes.subarray(512, 512 + length).equals(content));
      assert.ok(bytes.subarray(512 + length).every((byte) => byte === 0));
    });
  }

  for (const seconds of [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 33, -1]) {
    it(`a tar has the time ${seconds}`, async () => {
      const [header] = await headersOf([directory("a")], new Date(seconds * 1000));
      const pax = (header?.pax ?? {}) as Readonly<Record<string, string>>;
      assert.equal(Number(pax["mtime"] ?? (header?.mtime.getTime() ?? 0) / 1000), seconds);
    });
  }

  it("cuts fractions of a second", async () => {
    const [header] = await headersOf([directory("a")], new Date(1999));
    assert.equal(header?.mtime.getTime(), 1000);
  });

  for (const path of [
    "x".repeat(99),
    "x".repeat(100),
    "x".repeat(101),
    "x".repeat(255),
    `${"p".repeat(155)}/${"x".repeat(99)}`,
    `${"p".repeat(155)}/${"x".repeat(100)}`,
    `${"p".repeat(156)}/${"x".repeat(100)}`,
    `${"deep/".repeat(200)}end`,
    "caf\u00e9",
    "e\u0301",
    "\u{1f600}",
    "sp ace",
    "=",
    "12 path=x",
  ]) {
    it(`names a directory and a link ${path.length > 30 ? `of ${path.length} characters` : JSON.stringify(path)}`, async () => {
      const headers = await headersOf([directory(path), link(`${path}-`, path)]);
      assert.deepEqual(
        headers.map(({ name }) => name),
        [`${path}/`, `${path}-`],
      );
      assert.equal(headers[1]?.linkname, path);
    });
  }

  it("writes what is not ASCII into extended headers only", async () => {
    for (const entry of [link("a", "\u00e9"), directory("\u00e9")]) {
      const bytes = await bytesOf(tar([entry], { mtime: epoch }));
      const ustar = bytes.subarray(1024, 1536);
      assert.equal(bytes[156], "x".charCodeAt(0));
      assert.ok(ustar.every((byte) => byte < 0x80));
    }
  });

  it("never leaves the name field empty: what does not fit is in an extended header", async () => {
    const bytes = await bytesOf(tar([directory("x".repeat(120))], { mtime: epoch }));
    assert.notEqual(bytes[0], 0);
    assert.equal(bytes[156], "x".charCodeAt(0));
  });

  for (const size of [8 * 2 ** 30 - 1, 8 * 2 ** 30, 9 * 2 ** 30]) {
    it(`says that a file has ${size} bytes`, async () => {
      const directory = makeTree({ sparse: "" });
      truncateSync(join(directory, "sparse"), size);
      const reader = extract();
      const found = new Promise<Header>((resolve) => reader.on("entry", resolve));
      for await (const chunk of tar([fileIn(directory, "sparse", size)], { mtime: epoch })) {
        reader.write(chunk);
        break;
      }
      assert.equal((await found).size, size);
    });
  }

  it("leaves no file open when nobody wants the rest", async () => {
    const directory = makeTree({ large: Buffer.alloc(4 * 1024 * 1024) });
    const open = () => readdirSync("/proc/self/fd").length;
    const before = open();
    for (let round = 0; round < 20; round++) {
      for await (const _ of tar([fileIn(directory, "large", 4 * 1024 * 1024)], { mtime: epoch })) break;
    }
    assert.ok(open() < before + 10);
  });

  it("stops when the signal is aborted", async () => {
    const entries = Array.from({ length: 1000 }, (_, n) => directory(`f${n}`));
    const controller = new AbortController();
    const packing = tar([...entries, fileIn(makeTree({ z: "z" }), "z", 1), directory("zz")], {
      mtime: epoch,
      signal: controller.signal,
      onBytes: () => controller.abort(new Error("stop")),
    });
    await assert.rejects(bytesOf(packing), /stop/);
  });

  it("stops in the middle of a large file when the signal is aborted", async () => {
    const controller = new AbortController();
    const size = 8 * 1024 * 1024;
    const large = fileIn(makeTree({ large: Buffer.alloc(size) }), "large", size);
    let packed = 0;
    const onBytes = (bytes: number) => {
      packed = bytes;
      controller.abort(new Error("stop"));
    };
    await assert.rejects(bytesOf(tar([large], { mtime: epoch, signal: controller.signal, onBytes })), /stop/);
    assert.ok(packed < size);
  });

  it("ends at once when nobody wants the rest of many small entries", async () => {
    const entries = Array.from({ length: 1000 }, (_, n) => directory(`f${n}`));
    for await (const _ of tar(entries, { mtime: epoch })) break;
  });

  it("counts the bytes of files as they go", async () => {
    const directory = makeTree({ a: "1", b: Buffer.alloc(600_000) });
    const seen: number[] = [];
    const options = { mtime: epoch, onBytes: (bytes: number) => void seen.push(bytes) };
    await bytesOf(tar([fileIn(directory, "a", 1), fileIn(directory, "b", 600_000)], options));
    assert.deepEqual([seen[0], seen.at(-1)], [1, 600_001]);
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    );
  });
});

describe("the entries of a layer", () => {
  const source = temporaryDirectory();
  const file = (path: string): Entry => ({ kind: "file", path, mode: 0o644, size: 0, source });

  it("the entries of a layer have every parent before its children, once", () => {
    const paths = [...withParents([file("a/b/c"), file("a/d"), directory("e")])].map(({ path }) => path);
    assert.deepEqual(paths, ["a", "a/b", "a/b/c", "a/d", "e"]);
  });

  it("keep the modes of directories that the base has", () => {
    const [first] = withParents([file("tmp/x")], new Map([["tmp", 0o1777]]));
    assert.deepEqual(first, { kind: "directory", path: "tmp", mode: 0o1777 });
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pack } from "tar-stream";
import { type Entry, tarName } from "../../../src/tar/entry.ts";
import { extendedHeader, writeHeader } from "../../../src/tar/write-header.ts";
import { bytesOf } from "../../support/trees.ts";

const at = (seconds: number): Date => new Date(seconds * 1000);
const file = (path: string, size = 0, mode = 0o644): Entry => ({
  kind: "file",
  path,
  mode,
  size,
  source: "",
});
const directory = (path: string, mode = 0o755): Entry => ({ kind: "directory", path, mode });
const link = (path: string, target: string): Entry => ({ kind: "symlink", path, target });

function headerOf(entry: Entry, mtime: Date): Buffer {
  const block = Buffer.alloc(1024, "x");
  if (!writeHeader(block, 512, entry, mtime)) return extendedHeader(entry, mtime);
  assert.ok(block.subarray(0, 512).every((byte) => byte === "x".charCodeAt(0)));
  return block.subarray(512);
}

/** What tar-stream, which others have read for years, writes of the same entry. `pax`: as an extended header. */
async function headerByTarStream(entry: Entry, mtime: Date, pax?: Record<string, string>): Promise<Buffer> {
  const stream = pack();
  stream.entry({
    name: tarName(entry),
    type: entry.kind,
    mode: entry.kind === "symlink" ? 0o777 : entry.mode,
    size: entry.kind === "file" ? entry.size : 0,
    mtime,
    uid: 0,
    gid: 0,
    ...(entry.kind === "symlink" && { linkname: entry.target }),
    ...(pax && { pax }),
  });
  const chunks: Uint8Array[] = [];
  stream.on("data", (chunk) => chunks.push(chunk as Uint8Array));
  await new Promise(setImmediate);
  const bytes = await bytesOf(chunks);
  return bytes.subarray(0, Math.floor(bytes.length / 512) * 512);
}

const name = (length: number, letter = "n") => letter.repeat(length);

const ENTRIES: readonly Entry[] = [
  file("a"),
  file("run", 1, 0o755),
  file("var/task/node_modules/a/index.js", 12_345),
  file("size", 8 ** 11 - 1),
  file("size", 8 ** 11),
  file("size", 9 * 2 ** 30),
  file("size", 2 ** 40),
  ...[99, 100, 101, 255].map((length) => file(name(length))),
  file(`${name(155, "p")}/${name(100)}`),
  file(`${name(156, "p")}/${name(100)}`),
  file(`${name(155, "p")}/${name(101)}`),
  file(`${name(50, "p")}/${name(50, "q")}/${name(50, "r")}`),
  file(`${"deep/".repeat(19)}file${name(10)}`),
  file(`${"deep/".repeat(40)}file`),
  file(`${"deep/".repeat(200)}file`),
  file("caf\u00e9"),
  file("\u{1f600}"),
  file(`${name(976)}/x`),
  file(`${name(80)}/${"\u00e9".repeat(60)}`),
  directory("a"),
  directory("tmp", 0o1777),
  ...[98, 99].map((length) => directory(name(length))),
  directory(`${name(60, "p")}/${name(60, "q")}`),
  link("a", "b"),
  link("a", name(100)),
  link("a", name(101)),
  link(name(200), name(200)),
  link(`${name(60, "p")}/${name(60, "q")}`, "../x"),
];

describe("a tar header", () => {
  for (const entry of ENTRIES) {
    const what = `${entry.kind} ${entry.path.length > 40 ? `with ${entry.path.length} characters` : entry.path}`;
    it(`a tar header is byte for byte that of tar-stream: ${what}`, async () => {
      const mtime = at(1);
      assert.deepEqual(headerOf(entry, mtime), await headerByTarStream(entry, mtime));
    });
  }

  it("a tar header is that of tar-stream also where only an extended one is read alike by all", async () => {
    for (const entry of [link("a", "\u00e9"), directory(name(100)), directory(name(200))]) {
      assert.deepEqual(headerOf(entry, at(1)), await headerByTarStream(entry, at(1), {}));
    }
  });

  for (const seconds of [0, 1, 2 ** 31 - 1]) {
    it(`a tar header has the time ${seconds} in it`, async () =>
      assert.deepEqual(headerOf(file("a"), at(seconds)), await headerByTarStream(file("a"), at(seconds))));
  }

  for (const seconds of [-1, 2 ** 31, 2 ** 33]) {
    it(`a tar header has the time ${seconds} in an extended one`, async () => {
      const expected = await headerByTarStream(file("a"), at(0), { mtime: String(seconds) });
      assert.deepEqual(headerOf(file("a"), at(seconds)), expected);
    });
  }
});

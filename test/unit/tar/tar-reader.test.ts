import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import type { LayerEntry } from "../../../src/tar/layer-entry.ts";
import { TarReader } from "../../../src/tar/tar-reader.ts";
import { failsWith } from "../../support/errors.ts";
import { padded, paxHeader, TAR_END, tarFile, tarHeader } from "../../support/formats/tar-blocks.ts";

interface ReadEntry extends LayerEntry {
  readonly content: string;
}

/** Reads a tar in pieces of so many bytes. */
function read(tar: Buffer, piece = tar.length): readonly ReadEntry[] {
  const found: ReadEntry[] = [];
  let content: Buffer[] = [];
  const reader = new TarReader({
    enter: (entry) => {
      content = [];
      if (entry.kind !== "file") found.push({ ...entry, content: "" });
      return entry.kind === "file" ? { head: 3, tail: 3 } : undefined;
    },
    content: (_entry, bytes) => void content.push(Buffer.from(bytes)),
    leave: (entry, head, tail) => {
      const all = Buffer.concat(content);
      assert.deepEqual([head, tail], [all.subarray(0, 3), all.subarray(-3)]);
      found.push({ ...entry, content: all.toString("latin1") });
    },
  });
  for (let at = 0; at < tar.length; at += piece) reader.push(tar.subarray(at, at + piece));
  reader.end();
  return found;
}

/** The same, however the bytes are cut. */
function readAlways(...parts: readonly Buffer[]): readonly ReadEntry[] {
  const tar = Buffer.concat([...parts, TAR_END]);
  const whole = read(tar);
  for (const piece of [1, 511, 513]) assert.deepEqual(read(tar, piece), whole);
  return whole;
}

const names = (entries: readonly ReadEntry[]) => entries.map(({ name }) => name);
const octal = (value: number) => `${value.toString(8).padStart(11, "0")}\0`;

/** A file of 4000 bytes: "AAAA" at 1000, "BB" at 2000, a hole at its end. */
const SPARSE = `${"\0".repeat(1000)}AAAA${"\0".repeat(996)}BB${"\0".repeat(1998)}`;
const STORED = "AAAABB";

describe("sparse files", () => {
  const behind = tarFile("next", "n");
  const forms: Readonly<Record<string, readonly Buffer[]>> = {
    "PAX 0.0": [
      paxHeader(
        ["GNU.sparse.size", "4000"],
        ["GNU.sparse.numblocks", "2"],
        ["GNU.sparse.offset", "1000"],
        ["GNU.sparse.numbytes", "4"],
        ["GNU.sparse.offset", "2000"],
        ["GNU.sparse.numbytes", "2"],
      ),
      tarFile("data", STORED),
    ],
    "PAX 0.1": [
      paxHeader(
        ["GNU.sparse.size", "4000"],
        ["GNU.sparse.numblocks", "2"],
        ["GNU.sparse.map", "1000,4,2000,2"],
        ["GNU.sparse.name", "data"],
      ),
      tarFile("GNUSparseFile.0/data", STORED),
    ],
    "PAX 1.0": [
      paxHeader(
        ["GNU.sparse.major", "1"],
        ["GNU.sparse.minor", "0"],
        ["GNU.sparse.name", "data"],
        ["GNU.sparse.realsize", "4000"],
      ),
      tarFile("GNUSparseFile.0/data", Buffer.concat([padded("2\n1000\n4\n2000\n2\n"), Buffer.from(STORED)])),
    ],
    "old GNU": [
      tarHeader({
        name: "data",
        type: "S",
        size: 6,
        magic: "ustar  \0",
        fields: { 386: octal(1000) + octal(4) + octal(2000) + octal(2), 483: octal(4000) },
      }),
      padded(STORED),
    ],
    "old GNU with a block that continues the map": [
      tarHeader({
        name: "data",
        type: "S",
        size: 6,
        magic: "ustar  \0",
        fields: { 386: octal(1000) + octal(4), 482: "\u0001", 483: octal(4000) },
      }),
      padded(octal(2000) + octal(2)),
      padded(STORED),
    ],
  };
  for (const [form, parts] of Object.entries(forms)) {
    it(`a sparse file in the form ${form} has its name, its size and zeros in its holes`, () => {
      const [file, next] = readAlways(...parts, behind);
      assert.deepEqual([file?.name, file?.kind, file?.size], ["data", "file", 4000]);
      assert.ok(file?.content === SPARSE);
      assert.deepEqual([next?.name, next?.content], ["next", "n"]);
    });
  }

  it("a sparse map of 1,000 fragments over several blocks is read", () => {
    const map = Array.from({ length: 1000 }, (_, n) => `${n * 10}\n1\n`).join("");
    const header = paxHeader(
      ["GNU.sparse.major", "1"],
      ["GNU.sparse.minor", "0"],
      ["GNU.sparse.name", "data"],
      ["GNU.sparse.realsize", "10000"],
    );
    const content = Buffer.concat([padded(`1000\n${map}`), Buffer.alloc(1000, "x")]);
    const [file] = readAlways(header, tarFile("x", content));
    assert.ok(file?.content === "x\0\0\0\0\0\0\0\0\0".repeat(1000));
  });

  const wrong: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
    "fragments out of order": [["GNU.sparse.map", "2000,2,1000,4"]],
    "a fragment behind the end": [["GNU.sparse.map", "1000,4,3999,2"]],
    "fewer bytes in fragments than are stored": [["GNU.sparse.map", "1000,4"]],
    "a number that is none": [["GNU.sparse.map", "1000,4,2000,-2"]],
  };
  for (const [what, records] of Object.entries(wrong)) {
    it(`a sparse file with ${what} is damage`, () =>
      assert.throws(
        () => readAlways(paxHeader(["GNU.sparse.size", "4000"], ...records), tarFile("data", STORED)),
        failsWith("IMAGE_INVALID", /damaged sparse file, near byte/),
      ));
  }
});

describe("names in a tar", () => {
  it("two names that differ only in bytes that are not UTF-8 stay two", () => {
    const entries = readAlways(
      tarHeader({ name: Buffer.from("caf\u00e9", "latin1") }),
      tarHeader({ name: Buffer.from("caf\u00e8", "latin1") }),
      tarHeader({ name: Buffer.from("\u00e9\u00ff\u{1f600}") }),
    );
    assert.deepEqual(names(entries), ["caf\udce9", "caf\udce8", "\u00e9\u00ff\u{1f600}"]);
  });

  it("the second of two PAX headers in a row replaces the first", () => {
    const entries = readAlways(
      paxHeader(["path", "first"], ["mtime", "5"]),
      paxHeader(["mtime", "7.5"]),
      tarFile("name", "a"),
    );
    assert.deepEqual([names(entries), entries[0]?.mtime], [["name"], 7.5]);
  });

  it("a GNU long name wins over a PAX path", () => {
    const long = "n".repeat(120);
    const entries = readAlways(
      tarHeader({ type: "L", size: 121 }),
      padded(`${long}\0`),
      paxHeader(["path", "pax"]),
      tarFile("name", "a"),
    );
    assert.deepEqual(names(entries), [long]);
  });
});

describe("numbers in a tar", () => {
  it("a PAX size with leading zeros is a number", () => {
    const entries = readAlways(
      paxHeader(["size", "0003"]),
      tarHeader({ name: "a" }),
      padded("aaa"),
      tarFile("b", ""),
    );
    assert.deepEqual([names(entries), entries[0]?.content], [["a", "b"], "aaa"]);
  });

  it("PAX owners and attributes are those of the entry", () => {
    const [entry] = readAlways(
      paxHeader(["uid", "3000000"], ["gid", "7"], ["SCHILY.xattr.security.capability", "\u0001"]),
      tarFile("a", ""),
    );
    assert.deepEqual([entry?.uid, entry?.gid], [3_000_000, 7]);
    assert.deepEqual([...(entry?.attributes ?? [])], [["SCHILY.xattr.security.capability", "\u0001"]]);
  });

  it("a checksum over signed bytes is right", () => {
    const name = Buffer.from("caf\u00e9");
    assert.deepEqual(names(readAlways(tarHeader({ name, signed: true }))), ["caf\u00e9"]);
  });

  const junk: Readonly<Record<string, Readonly<Record<number, string | Uint8Array>>>> = {
    "a negative size": { 124: Buffer.alloc(12, 0xff) },
    "a size of letters": { 124: "12x45678901\0" },
    "a mode of letters": { 100: "rwxrwxr\0" },
    "an owner with a space within": { 108: "00 1000\0" },
    "a time of letters": { 136: "yesterday00\0" },
    "a device number of letters": { 329: "tty0000\0" },
  };
  for (const [what, fields] of Object.entries(junk)) {
    it(`a header with ${what} is damage, as for Go, with its offset`, () =>
      assert.throws(
        () => readAlways(tarFile("a", "1"), tarHeader({ name: "b", fields })),
        failsWith("IMAGE_INVALID", /is damaged, near byte 1024 and after 1 entries/),
      ));
  }
});

describe("the end of a tar", () => {
  it("a lone block of zeros before another entry is damage", () =>
    assert.throws(
      () => read(Buffer.concat([tarFile("a", "1"), Buffer.alloc(512), tarFile("b", "2"), TAR_END])),
      failsWith("IMAGE_INVALID", /lone block of zeros/),
    ));

  for (const [what, end] of [
    ["two blocks of zeros and bytes behind them", Buffer.concat([TAR_END, Buffer.from("anything")])],
    ["a lone block of zeros", Buffer.alloc(512)],
    ["nothing", Buffer.alloc(0)],
  ] as const) {
    it(`a tar may end with ${what}`, () =>
      assert.deepEqual(names(read(Buffer.concat([tarFile("a", "1"), end]))), ["a"]));
  }

  it("a tar may end without the padding of its last file", () =>
    assert.deepEqual(names(read(tarFile("a", "1").subarray(0, 513))), ["a"]));
});

describe("memory for entries", () => {
  it("TarReader gives the entries of a tar one hidden class, so that 300,000 of them leave no classes behind", () => {
    setFlagsFromString("--allow-natives-syntax");
    const haveSameClass = new Function("a", "b", "return %HaveSameMap(a, b)");
    const headers = Array.from({ length: 1000 }, (_, index) => tarFile(`file-${index}`, ""));
    const entries: LayerEntry[] = [];
    const reader = new TarReader({ enter: (entry) => void entries.push(entry) });
    reader.push(Buffer.concat(headers));
    assert.equal(haveSameClass(entries.at(-2), entries.at(-1)), true);
  });
});

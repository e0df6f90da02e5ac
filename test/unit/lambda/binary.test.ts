import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { readBinary } from "../../../src/lambda/binary/binary.ts";
import { compareVersions } from "../../../src/lambda/binary/elf.ts";
import { partOf } from "../../../src/lambda/binary/file-part.ts";
import { zipNames } from "../../../src/lambda/handler/zip-names.ts";
import { elf } from "../../support/formats/elf.ts";

const read = (bytes: Buffer) => readBinary(partOf(bytes.length, bytes));

/** A PE file for `machine`; `clr`: with code of .NET. */
function pe(machine: number, clr: boolean): Buffer {
  const bytes = Buffer.alloc(512);
  bytes.write("MZ");
  bytes.writeUInt32LE(0x80, 0x3c);
  bytes.write("PE\0\0", 0x80, "latin1");
  bytes.writeUInt16LE(machine, 0x84);
  bytes.writeUInt16LE(0x20b, 0x80 + 24);
  if (clr) bytes.writeUInt32LE(1, 0x80 + 24 + 112 + 14 * 8);
  return bytes;
}

describe("an addon for Node", () => {
  for (const machine of ["x86_64", "arm64"] as const)
    it(`that the macro NODE_MODULE registers says its NODE_MODULE_VERSION, for ${machine}`, () => {
      assert.equal(read(elf({ machine, nodeModule: 115 }))?.nodeAbi, 115);
    });
  it("for Node-API says no NODE_MODULE_VERSION", () => {
    assert.equal(read(elf({ symbols: ["napi_module_register"] }))?.nodeAbi, undefined);
  });
  it("says its NODE_MODULE_VERSION by the name of a symbol, and other text is not taken for one", () => {
    assert.equal(read(elf({ symbols: ["node_register_module_v127"] }))?.nodeAbi, 127);
    const text = Buffer.from("\0node_register_module_v127\0");
    assert.equal(read(Buffer.concat([elf(), text]))?.nodeAbi, undefined);
  });
});

describe("a binary", () => {
  it("of ELF says machine, C library, its newest version and its interpreter", () => {
    const bytes = elf({
      machine: "arm64",
      versions: ["GLIBC_2.9", "GLIBC_2.17", "GLIBC_PRIVATE"],
      needed: ["libm.so.6", "libc.so.6"],
      interpreter: "/lib/ld-linux-aarch64.so.1",
    });
    const expected = {
      format: "elf",
      machines: ["arm64"],
      libc: "glibc",
      glibc: "2.17",
      interpreter: "/lib/ld-linux-aarch64.so.1",
      needed: ["libm.so.6", "libc.so.6"],
    };
    assert.deepEqual(read(bytes), expected);
  });

  it("of musl is told by what it needs, or by its interpreter", () => {
    assert.equal(read(elf({ needed: ["libc.musl-x86_64.so.1"] }))?.libc, "musl");
    assert.equal(read(elf({ interpreter: "/lib/ld-musl-x86_64.so.1" }))?.libc, "musl");
  });

  it("that is static asks for no C library", () =>
    assert.deepEqual(read(elf()), { format: "elf", machines: ["x86_64"] }));

  it("that is glibc itself says which it is", () =>
    assert.equal(read(elf({ defined: ["GLIBC_2.2.5", "GLIBC_2.34"] }))?.providesGlibc, "2.34"));

  it("of this machine, Node itself, is read as it is", () => {
    const facts = read(readFileSync(process.execPath));
    assert.equal(facts?.format, "elf");
    assert.equal(facts?.libc, "glibc");
    assert.match(facts?.glibc ?? "", /^2\.\d+$/);
  });

  it("of macOS says its machines", () => {
    assert.deepEqual(read(Buffer.from("cffaedfe0c000001", "hex")), { format: "mach-o", machines: ["arm64"] });
    const fat = Buffer.alloc(48);
    fat.writeUInt32BE(0xcafebabe, 0);
    fat.writeUInt32BE(2, 4);
    fat.writeUInt32BE(0x01000007, 8);
    fat.writeUInt32BE(0x0100000c, 28);
    assert.deepEqual(read(fat), { format: "mach-o", machines: ["x86_64", "arm64"] });
  });

  it("of Windows says its machine, and whether it is .NET's", () => {
    assert.deepEqual(read(pe(0x8664, false)), { format: "pe", machines: ["x86_64"], managed: false });
    assert.deepEqual(read(pe(0x14c, true)), { format: "pe", machines: ["x86"], managed: true });
  });

  for (const [what, bytes] of [
    ["a text", Buffer.from("#!/bin/sh\n")],
    ["a Java class", Buffer.from("cafebabe0000003400", "hex")],
    ["an empty file", Buffer.alloc(0)],
    ["a text that begins with MZ", Buffer.from("MZ is not a PE")],
  ] as const) {
    it(`a binary is not ${what}`, () => assert.equal(read(bytes), undefined));
  }

  it("cut off or damaged anywhere says less, and never fails", () => {
    const bytes = elf({
      versions: ["GLIBC_2.34"],
      needed: ["libc.so.6"],
      interpreter: "/lib64/ld-linux-x86-64.so.2",
      defined: ["GLIBC_2.2"],
    });
    for (let at = 4; at < bytes.length; at++) {
      read(bytes.subarray(0, at));
      const damaged = Buffer.from(bytes);
      damaged.fill(0xff, at, Math.min(at + 8, damaged.length));
      read(damaged);
    }
  });

  it("whose middle is not at hand still says what is at its ends", () => {
    const bytes = elf({ machine: "arm64", needed: ["libc.so.6"], versions: ["GLIBC_2.30"] });
    const whole = Buffer.concat([bytes, Buffer.alloc(100_000)]);
    assert.equal(
      readBinary(partOf(whole.length, whole.subarray(0, 1000), whole.subarray(-10)))?.glibc,
      "2.30",
    );
    assert.deepEqual(readBinary(partOf(whole.length, whole.subarray(0, 64)))?.machines, ["arm64"]);
  });
});

it("versions are compared by their numbers", () => {
  const sorted = ["2.34", "2.9", "2.2.5", "2.17"].sort(compareVersions);
  assert.deepEqual(sorted, ["2.2.5", "2.9", "2.17", "2.34"]);
});

describe("the names in a zip", () => {
  it("the names in a zip are those of its directory", () =>
    assert.deepEqual(zipNames(partOf(zip.length, zip)), ["com/example/App.class"]));
  it("the names in a zip are not told of what is not a zip", () =>
    assert.equal(zipNames(partOf(5, Buffer.from("hello"))), "not a zip"));
});

/** An empty file in a zip, as `zip` writes it (APPNOTE.TXT 4.3). */
const zip = (() => {
  const name = Buffer.from("com/example/App.class");
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(entry.length + name.length, 12);
  return Buffer.concat([entry, name, end]);
})();

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { collect } from "../../../src/layer/collect.ts";
import { tar } from "../../../src/layer/encode/tar.ts";
import { indexArchive } from "../../../src/tar/archive.ts";
import { bytesOf, makeTree, type Tree, temporaryDirectory } from "../../support/trees.ts";

const SOURCE = "def f(x):\n    return x\n";
const MTIME = new Date("1980-01-02T00:00:00Z");
const SOURCE_SECONDS = 1_700_000_000;

/** A marshalled string: short ASCII, marked as a reference. */
function short(text: string): Buffer {
  return Buffer.concat([Buffer.of(0xfa, text.length), Buffer.from(text)]);
}

/** Bytecode by PEP 552 with a time, and something like marshalled code. */
function bytecode(path: string, { seconds = SOURCE_SECONDS, size = SOURCE.length, flags = 0 } = {}): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(0x0a0d0da7, 0);
  header.writeUInt32LE(flags, 4);
  header.writeUInt32LE(seconds, 8);
  header.writeUInt32LE(size, 12);
  return Buffer.concat([header, Buffer.from([0xe3, 0, 0, 0]), short(path), short("f"), Buffer.from("N")]);
}

function recordOf(source: string): string {
  return `pk/a.py,sha256=${createHash("sha256").update(source).digest("base64url")},${source.length}\npk/__pycache__/a.cpython-311.pyc,,\n`;
}

const PYC = "pk/__pycache__/a.cpython-311.pyc";
const installed = (path: string, more: Parameters<typeof bytecode>[1] = {}): Tree => ({
  "pk/a.py": SOURCE,
  [PYC]: bytecode(path, more),
  "pk-1.0.dist-info/RECORD": recordOf(SOURCE),
});

/** The bytecode as it is in the layer. */
async function packed(tree: Tree, seconds = SOURCE_SECONDS, path = PYC): Promise<Buffer> {
  const directory = makeTree(tree);
  utimesSync(join(directory, path.replace(/__pycache__\/(\w+)\..*/, "$1.py")), seconds, seconds);
  const { files } = await collect({ directory, target: "/var/task" });
  const entries = files.map(({ entry }) => entry);
  const bytes = await bytesOf(tar(entries, { mtime: MTIME }));
  const file = join(temporaryDirectory(), "layer.tar");
  writeFileSync(file, bytes);
  const member = (await indexArchive(file)).get(`var/task/${path}`);
  assert.ok(member?.kind === "file");
  return bytes.subarray(member.offset, member.offset + member.size);
}

const VALID = bytecode("/var/task/pk/a.py", { seconds: MTIME.getTime() / 1000 });

describe("Python bytecode in a layer", () => {
  for (const [what, path] of [
    ["pip's temporary directory", "/tmp/pip-target-a0ewq_5e/lib/python/pk/a.py"],
    ["another temporary directory", "/builds/some/longer/tmp/pip-target-zzzzzzzz/lib/python/pk/a.py"],
    ["a path of 300 letters", `/${"d".repeat(290)}/a.py`],
  ] as const) {
    it(`gets the layer's time and the path in the image when it was compiled in ${what}`, async () => {
      const bytes = bytecode("x");
      const string =
        path.length < 256 ? short(path) : Buffer.concat([Buffer.of(0xe1, 0, 0, 0, 0), Buffer.from(path)]);
      if (path.length >= 256) string.writeUInt32LE(path.length, 1);
      const compiled = Buffer.concat([bytes.subarray(0, 20), string, bytes.subarray(23)]);
      assert.deepEqual(await packed({ ...installed("/x/a.py"), [PYC]: compiled }), VALID);
    });
  }

  it("Python bytecode in a layer is made valid when the sources were copied without their times and match RECORD", async () => {
    assert.deepEqual(await packed(installed("/tmp/x/pk/a.py"), SOURCE_SECONDS + 500), VALID);
  });

  const stale: readonly (readonly [what: string, tree: Tree, seconds: number])[] = [
    [
      "whose source was changed later, and does not match RECORD",
      { ...installed("/tmp/x/pk/a.py"), "pk-1.0.dist-info/RECORD": recordOf("def g(x):\n    return x\n") },
      SOURCE_SECONDS + 1,
    ],
    ["whose source has another size", installed("/tmp/x/pk/a.py", { size: 5 }), SOURCE_SECONDS],
    ["that is checked by hash", installed("/tmp/x/pk/a.py", { flags: 3 }), SOURCE_SECONDS],
    ["of the app whose source was changed later", { "pk/a.py": SOURCE, [PYC]: bytecode("/x/pk/a.py") }, 1],
  ];
  for (const [what, tree, seconds] of stale) {
    it(`stays as it is: bytecode ${what}`, async () => {
      assert.deepEqual(await packed(tree, seconds), tree[PYC]);
    });
  }

  it("of the app itself gets the layer's time and keeps its path", async () => {
    const tree = { "pk/a.py": SOURCE, [PYC]: bytecode("/home/me/pk/a.py") };
    const expected = bytecode("/home/me/pk/a.py", { seconds: MTIME.getTime() / 1000 });
    assert.deepEqual(await packed(tree), expected);
  });

  it("of many files of different sizes gets into the layer without parts of one another", async () => {
    const sizes = [10, 5000, 70_000, 20, 1_200_000, 300];
    const pad = (n: number) => Buffer.alloc(sizes[n] ?? 0, `${n}`);
    const pyc = (n: number) => `pk/__pycache__/m${n}.cpython-311.pyc`;
    const tree: Record<string, string | Buffer> = {};
    for (const n of sizes.keys()) {
      tree[`pk/m${n}.py`] = SOURCE;
      tree[pyc(n)] = Buffer.concat([bytecode(`/home/me/pk/m${n}.py`), pad(n)]);
    }
    const directory = makeTree(tree);
    for (const n of sizes.keys()) utimesSync(join(directory, `pk/m${n}.py`), SOURCE_SECONDS, SOURCE_SECONDS);
    const { files } = await collect({ directory, target: "/var/task" });
    const file = join(temporaryDirectory(), "layer.tar");
    const entries = files.map(({ entry }) => entry);
    const layer = await bytesOf(tar(entries, { mtime: MTIME }));
    writeFileSync(file, layer);
    const members = await indexArchive(file);
    const seconds = MTIME.getTime() / 1000;
    for (const n of sizes.keys()) {
      const member = members.get(`var/task/${pyc(n)}`);
      assert.ok(member?.kind === "file");
      const expected = Buffer.concat([bytecode(`/home/me/pk/m${n}.py`, { seconds }), pad(n)]);
      assert.ok(layer.subarray(member.offset, member.offset + member.size).equals(expected), pyc(n));
    }
  });

  it("keeps its paths where two different strings could be that of the source", async () => {
    const twice = Buffer.concat([bytecode("/tmp/x/pk/a.py"), short("/etc/a.py")]);
    const bytes = await packed({ ...installed(""), [PYC]: twice });
    assert.deepEqual(bytes.subarray(16), twice.subarray(16));
    assert.equal(bytes.readUInt32LE(8), MTIME.getTime() / 1000);
  });
});

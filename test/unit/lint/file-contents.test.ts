import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ContentOptions, FileContents } from "../../../src/lint/contents/file-contents.ts";
import type { ImageConfig } from "../../../src/oci/image.ts";

const settings: ImageConfig = {
  architecture: "amd64",
  os: "linux",
  rootfs: { type: "layers", diff_ids: [] },
};

function wanted(path: string, options?: ContentOptions) {
  const entry = {
    name: path,
    path,
    kind: "file",
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 100,
    mtime: 0,
    link: "",
  } as const;
  return new FileContents(settings, [], options).enter(entry, path);
}

describe("contents", () => {
  it("of Python's bytecode is taken for those who want advice only", () => {
    assert.deepEqual(wanted("var/task/__pycache__/a.cpython-312.pyc"), { head: 12 });
    assert.equal(wanted("var/task/__pycache__/a.cpython-312.pyc", { bytecode: false }), undefined);
  });

  for (const path of [
    "usr/bin/node",
    "bin/sh",
    "usr/local/bin/python3.12",
    "var/lang/bin/x",
    "usr/lib/libc.so.6",
    "opt/libc.so.6",
  ])
    it(`contents is taken of ${path}, whatever its mode`, () => assert.ok(wanted(path)?.tail));

  for (const path of [
    "usr/bin/ls",
    "usr/lib/libm.so.6",
    "usr/bin/nodejs",
    "var/task/bin/nodes",
    "usr/local/bin/pip",
  ])
    it(`contents is not taken of ${path}`, () => assert.equal(wanted(path, { secrets: false }), undefined));
});

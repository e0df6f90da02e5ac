import assert from "node:assert/strict";
import { openSync, readSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { type Header, pack } from "tar-stream";
import { imageTree } from "../../../src/dockerfile/trees.ts";
import { type Content, contentOf } from "../../../src/oci/content.ts";
import { MEDIA_TYPES } from "../../../src/oci/media-types.ts";
import { extractFiles } from "../../../src/rootfs/unpack/extract-files.ts";
import { temporaryDirectory } from "../../support/trees.ts";

type Member = Partial<Header> & { readonly name: string; readonly text?: string };

async function layer(...members: readonly Member[]): Promise<Content> {
  const archive = pack();
  for (const { text = "", ...header } of members) archive.entry({ mtime: new Date(0), ...header }, text);
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array); // tar-stream's types say unknown
  return contentOf(MEDIA_TYPES.oci.layer, gzipSync(Buffer.concat(chunks)));
}

const directory = (name: string): Member => ({ name, type: "directory" });

async function treeOf(layers: readonly Content[], ...paths: readonly string[]) {
  const file = join(temporaryDirectory(), "contents");
  const extracted = await extractFiles(layers, { paths, file, signal: new AbortController().signal });
  return imageTree(extracted, "example.com/image");
}

function textOf(tree: Awaited<ReturnType<typeof treeOf>>, path: string): string {
  const node = tree.find(path);
  assert.ok(node?.kind === "file", `${path} is a file`);
  const bytes = Buffer.alloc(node.size);
  readSync(openSync(node.source, "r"), bytes, 0, node.size, node.offset ?? 0);
  return bytes.toString();
}

describe("extractFiles", () => {
  it("gives the files of the highest layer, with their modes", async () => {
    const lower = await layer(
      directory("opt"),
      { name: "opt/a", text: "old", mode: 0o644 },
      { name: "opt/b", text: "b" },
    );
    const upper = await layer(directory("opt"), { name: "opt/a", text: "newer", mode: 0o755 });
    const tree = await treeOf([lower, upper], "opt");
    assert.equal(textOf(tree, "opt/a"), "newer");
    assert.equal(textOf(tree, "opt/b"), "b");
    const node = tree.find("opt/a");
    assert.equal(node?.kind === "file" && node.mode, 0o755);
    assert.deepEqual([...tree.namesIn("opt")], ["a", "b"]);
  });

  it("extractFiles does not give what a higher layer removes", async () => {
    const lower = await layer(directory("opt"), { name: "opt/a", text: "a" }, { name: "opt/b", text: "b" });
    const tree = await treeOf([lower, await layer(directory("opt"), { name: "opt/.wh.a" })], "opt");
    assert.equal(tree.find("opt/a"), undefined);
    assert.deepEqual([...tree.namesIn("opt")], ["b"]);
  });

  it("follows links in the directories of a path, and keeps one at its end", async () => {
    const only = await layer(
      directory("usr"),
      directory("usr/bin"),
      { name: "bin", type: "symlink", linkname: "usr/bin" },
      { name: "usr/bin/uv", text: "binary", mode: 0o755 },
      { name: "usr/bin/uvx", type: "symlink", linkname: "uv" },
    );
    const tree = await treeOf([only], "usr/bin");
    assert.equal(textOf(tree, "bin/uv"), "binary");
    assert.deepEqual(tree.find("bin/uvx"), { kind: "symlink", target: "uv" });
  });

  it("gives the content of hard links, and refuses one whose content was not read", async () => {
    const only = await layer(
      directory("opt"),
      { name: "opt/a", text: "same" },
      { name: "opt/b", type: "link", linkname: "opt/a" },
      { name: "opt/self", type: "link", linkname: "opt/self" },
    );
    assert.equal(textOf(await treeOf([only], "opt"), "opt/b"), "same");
    const tree = await treeOf([only], "opt/b");
    assert.throws(() => tree.find("opt/b"), {
      code: "DOCKERFILE_REFUSED",
      message: /link to a file that was not read/,
    });
    assert.throws(() => tree.find("opt/self"), { code: "DOCKERFILE_REFUSED" });
  });

  it("lists directories that no layer names", async () => {
    const tree = await treeOf([await layer({ name: "opt/deep/a", text: "a" })], "opt");
    assert.deepEqual([...tree.namesIn("opt")], ["deep"]);
    assert.deepEqual(tree.find("opt"), { kind: "directory", kept: true });
    assert.equal(textOf(tree, "opt/deep/a"), "a");
  });

  it("refuses an image with a layer that is damaged", async () => {
    const damaged = contentOf(MEDIA_TYPES.oci.layer, Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3]));
    await assert.rejects(treeOf([damaged], ""), { code: "IMAGE_INVALID" });
  });
});

import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { type Header, pack } from "tar-stream";
import { contentOf } from "../../../src/oci/content.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import type { Layer } from "../../../src/oci/image.ts";
import { MEDIA_TYPES } from "../../../src/oci/media-types.ts";
import { removeTree, unpackImage } from "../../../src/rootfs/unpack/unpack.ts";
import { temporaryDirectory } from "../../support/trees.ts";

type Entry = Partial<Header> & { readonly name: string } & { readonly text?: string };

async function layer(...entries: readonly Entry[]): Promise<Layer> {
  const archive = pack();
  for (const { text = "", ...header } of entries) archive.entry(header, text);
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  const tar = Buffer.concat(chunks);
  return { ...contentOf(MEDIA_TYPES.oci.layer, gzipSync(tar)), diffId: digestOf(tar) };
}

const file = (name: string, text = name): Entry => ({ name, text });
const directory = (name: string, mode = 0o755): Entry => ({ name, type: "directory", mode });
const symlink = (name: string, linkname: string): Entry => ({ name, type: "symlink", linkname });
const hardlink = (name: string, linkname: string): Entry => ({ name, type: "link", linkname });

async function unpacked(...layers: readonly Layer[]): Promise<(path: string) => string> {
  const root = temporaryDirectory();
  await unpackImage(layers, root);
  return (path) => join(root, path);
}

describe("unpacking an image", () => {
  it("lets a higher layer replace, remove and empty what lower ones have", async () => {
    const at = await unpacked(
      await layer(file("a/one"), file("a/two"), file("b/three"), file("c/four"), file("d", "old")),
      await layer(
        file("a/.wh.one", ""),
        file("b/new"),
        file("b/.wh..wh..opq", ""),
        file("d", "new"),
        file("c", "a file"),
      ),
    );
    assert.deepEqual(readdirSync(at("a")), ["two"]);
    assert.deepEqual(readdirSync(at("b")), ["new"]);
    assert.equal(readFileSync(at("d"), "utf8"), "new");
    assert.equal(readFileSync(at("c"), "utf8"), "a file");
  });

  it("follows a link of the base within the image if a layer writes through it", async () => {
    const at = await unpacked(
      await layer(directory("usr/lib"), symlink("lib", "usr/lib"), symlink("abs", "/usr/lib")),
      await layer(file("lib/one"), file("abs/two")),
    );
    assert.deepEqual(readdirSync(at("usr/lib")).sort(), ["one", "two"]);
    assert.equal(readlinkSync(at("lib")), "usr/lib");
  });

  it("writes nothing outside of its directory, whatever links and names the image has", async () => {
    const outside = temporaryDirectory();
    writeFileSync(join(outside, "secret"), "of the host");
    const parents = "../".repeat(20);
    const at = await unpacked(
      await layer(
        symlink("out", outside),
        symlink("up", `${parents}${outside}`),
        file("out/one"),
        file("up/two"),
        file(`${parents}${outside}/three`),
        directory("x/y"),
      ),
      await layer(file("x/y/.wh...", ""), file("x/y/.wh..", ""), file("out/.wh.secret", "")),
    );
    assert.deepEqual(readdirSync(outside), ["secret"]);
    assert.equal(existsSync(at("x/y")), true);
    assert.equal(readFileSync(at(`${outside}/one`), "utf8"), "out/one");
  });

  it("unpacking an image does not link to a file of the host", async () => {
    const outside = join(temporaryDirectory(), "secret");
    writeFileSync(outside, "of the host");
    const bad = await layer(hardlink("stolen", `${"../".repeat(20)}${outside}`));
    await assert.rejects(unpackImage([bad], temporaryDirectory()), { code: "WRITE_FAILED" });
  });

  it("links two names of one file, also through a directory that is a link", async () => {
    const at = await unpacked(
      await layer(file("usr/bin/a", "text"), symlink("bin", "usr/bin"), hardlink("b", "bin/a")),
    );
    assert.equal(statSync(at("b")).ino, statSync(at("usr/bin/a")).ino);
  });

  it("gives the owner what Lambda's user may do, if that is asked for", async () => {
    const root = temporaryDirectory();
    const entries = [
      { name: "closed", mode: 0o600, text: "x" },
      { name: "program", mode: 0o4755, text: "x" },
      { name: "own", mode: 0o600, uid: 993, text: "x" },
      directory("directory", 0o755),
      directory("closed-directory", 0o700),
    ];
    await unpackImage([await layer(...entries)], root, { owner: "others" });
    const modes = ["closed", "program", "own", "directory", "closed-directory"].map(
      (name) => lstatSync(join(root, name)).mode & 0o7777,
    );
    assert.deepEqual(modes, [0o000, 0o555, 0o600, 0o755, 0o200]);
    removeTree(root);
    assert.equal(existsSync(root), false);
    mkdirSync(root);
  });

  it("refuses a layer whose content is not what the image's config says", async () => {
    const wrong = { ...(await layer(file("a"))), diffId: digestOf(Buffer.from("other")) };
    await assert.rejects(unpackImage([wrong], temporaryDirectory()), { code: "CONTENT_MISMATCH" });
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { type Header, pack } from "tar-stream";
import { contentOf } from "../../../src/oci/content.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import type { Layer } from "../../../src/oci/image.ts";
import { MEDIA_TYPES } from "../../../src/oci/media-types.ts";
import { compareImages } from "../../../src/rootfs/compare-images.ts";
import { compareLayers, type LayerDifference } from "../../../src/rootfs/compare-layers.ts";

type Entry = Partial<Header> & { readonly name: string; readonly text?: string };

async function layerOf(...entries: readonly Entry[]): Promise<Layer> {
  const archive = pack();
  for (const { text = "", ...header } of entries) archive.entry({ mtime: new Date(0), ...header }, text);
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array); // tar-stream's types say unknown
  const tar = Buffer.concat(chunks);
  return { ...contentOf(MEDIA_TYPES.oci.layer, gzipSync(tar)), diffId: digestOf(tar) };
}

const file = (name: string, text: string, more: Partial<Header> = {}): Entry => ({
  name,
  text,
  mode: 0o644,
  ...more,
});

/** The reasons that there are, each with its paths. */
function reasonsOf({
  added,
  removed,
  changed,
  reordered,
}: LayerDifference): Readonly<Record<string, unknown>> {
  const all = Object.entries({ added, removed, ...changed }).filter(([, { count }]) => count > 0);
  return {
    ...Object.fromEntries(all.map(([name, { paths }]) => [name, paths])),
    ...(reordered && { reordered }),
  };
}

describe("what two images show differently", () => {
  const same = file("same", "1");

  it("what two images show differently is nothing if the same files are in other layers", async () => {
    const [a, b, both] = await Promise.all([
      layerOf(same),
      layerOf(file("b", "2")),
      layerOf(file("b", "2"), same),
    ]);
    const changes = await compareImages([a, b], [both]);
    assert.deepEqual(changes.list, []);
  });

  it("what two images show differently is what was added, removed and changed, by path", async () => {
    const before = await layerOf(same, file("gone", "123"), file("text", "old"), file("mode", "1"));
    const after = await layerOf(
      same,
      file("new", "12"),
      file("text", "new!"),
      file("mode", "1", { mode: 0o755 }),
    );
    const { added, removed, changed, list } = await compareImages([before], [after]);
    assert.deepEqual(
      [added, removed, changed],
      [
        { count: 1, bytes: 2 },
        { count: 1, bytes: 3 },
        { count: 2, bytes: 1 },
      ],
    );
    assert.deepEqual(
      list.map((one) => [one.path, one.change === "changed" ? one.what : one.change]),
      [
        ["gone", "removed"],
        ["mode", ["mode"]],
        ["new", "added"],
        ["text", ["content"]],
      ],
    );
  });

  it("what two images show differently is a file of the same size with other bytes, a link to elsewhere, and a file that became a directory", async () => {
    const link = (linkname: string): Entry => ({ name: "link", type: "symlink", linkname });
    const before = await layerOf(file("a", "1"), link("x"), file("f", "1"));
    const after = await layerOf(file("a", "2"), link("y"), { name: "f/", type: "directory" });
    const { list } = await compareImages([before], [after]);
    assert.deepEqual(
      list.map((one) => one.change === "changed" && one.what),
      [["content"], ["kind"], ["link"]],
    );
  });

  it("what two images show differently is not what no layer above lets be seen", async () => {
    const [hidden, top] = await Promise.all([layerOf(file("a", "old")), layerOf(file("a", "new"))]);
    assert.deepEqual((await compareImages([hidden, top], [top])).list, []);
  });

  it("what two images show differently is not known if a layer is damaged", async () => {
    const layer = await layerOf(same);
    const damaged = {
      ...contentOf(MEDIA_TYPES.oci.layer, Buffer.from("no tar at all")),
      diffId: layer.diffId,
    };
    await assert.rejects(compareImages([layer], [damaged]), { code: "IMAGE_INVALID" });
  });
});

describe("why a layer is another one", () => {
  const compare = async (before: readonly Entry[], after: readonly Entry[]) =>
    reasonsOf(await compareLayers(await layerOf(...before), await layerOf(...after)));
  const a = file("a", "1");

  const cases: Readonly<Record<string, readonly [readonly Entry[], readonly Entry[], object]>> = {
    "content: the bytes of a file": [[a], [file("a", "2")], { content: ["a"] }],
    "mode: its permissions": [[a], [file("a", "1", { mode: 0o755 })], { mode: ["a"] }],
    "owner: whose it is": [[a], [file("a", "1", { uid: 1000 })], { owner: ["a"] }],
    "mtime: its time": [[a], [file("a", "1", { mtime: new Date(1000) })], { mtime: ["a"] }],
    "name: one file gone, another there": [[a], [file("b", "1")], { removed: ["a"], added: ["b"] }],
    "attributes: its capabilities": [
      [a],
      [file("a", "1", { pax: { "SCHILY.xattr.security.capability": "1" } })],
      { attributes: ["a"] },
    ],
    "owner: a number that only PAX can hold": [
      [file("a", "1", { pax: { uid: "3000000" } })],
      [file("a", "1", { pax: { uid: "3000001" } })],
      { owner: ["a"] },
    ],
    "link: where it leads": [
      [{ name: "l", type: "symlink", linkname: "x" }],
      [{ name: "l", type: "symlink", linkname: "y" }],
      { link: ["l"] },
    ],
    "order: the same entries in another one": [[a, file("b", "")], [file("b", ""), a], { reordered: true }],
    "none of these: only the headers are written otherwise": [[a], [file("a", "1", { uname: "root" })], {}],
  };
  for (const [name, [before, after, reasons]] of Object.entries(cases))
    it(`may be ${name}`, async () => assert.deepEqual(await compare(before, after), reasons));

  it("why a layer is another one is told with a few paths, however many there are", async () => {
    const entries = (text: string) => Array.from({ length: 50 }, (_, index) => file(`f${index}`, text));
    const { changed } = await compareLayers(await layerOf(...entries("1")), await layerOf(...entries("2")));
    assert.deepEqual([changed.content.count, changed.content.paths.length], [50, 20]);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pack } from "tar-stream";
import { collect } from "../../../src/layer/collect.ts";
import { tar } from "../../../src/layer/encode/tar.ts";
import { withParents } from "../../../src/tar/entry.ts";
import { TarReader } from "../../../src/tar/tar-reader.ts";
import { bytesOf, makeTree, noise } from "../../support/trees.ts";

const MTIME = new Date("1980-01-02T00:00:00Z");

/** Names that fit into a header, and names, links and sizes that need an extended one. */
const TREE = {
  "app.py": "def handler(event, context): return event\n",
  run: { file: "#!/bin/sh\n", mode: 0o755 },
  empty: "",
  "empty directory": null,
  block: noise(512),
  large: noise(1_500_000),
  ["n".repeat(99)]: "99",
  [`${"d".repeat(120)}/${"n".repeat(90)}`]: "prefix",
  "caf\u00e9": "UTF-8",
  "links/plain": { link: "../app.py" },
  "links/long": { link: "far/".repeat(60) },
  [`${"deep/".repeat(60)}file`]: "deep",
};

interface Facts {
  readonly name: string;
  readonly kind: string;
  readonly mode: number;
  readonly size: number;
  readonly link: string;
  readonly mtime: number;
  readonly owner: string;
}

/** What a tar says, and the bytes of its contents. */
function read(bytes: Buffer): { readonly entries: readonly Facts[]; readonly contents: Buffer } {
  const entries: Facts[] = [];
  const pieces: Buffer[] = [];
  const reader = new TarReader({
    enter({ name, kind, mode, size, link, mtime, uid, gid }) {
      entries.push({ name, kind, mode, size, link, mtime, owner: `${uid}:${gid}` });
      return { head: 0 };
    },
    content: (_entry, piece) => void pieces.push(Buffer.from(piece)),
  });
  reader.push(bytes);
  reader.end();
  return { entries, contents: Buffer.concat(pieces) };
}

describe("the layer engine's tar writer", () => {
  it("writes the entries and contents that tar-stream writes for the same tree", async () => {
    const { files } = await collect({ directory: makeTree(TREE), target: "/var/task" });
    const entries = [...withParents(files.map(({ entry }) => entry))];
    const ours = read(await bytesOf(tar(entries, { mtime: MTIME })));
    const archive = pack();
    for (const entry of entries) {
      const { kind, path } = entry;
      const shared = { mtime: MTIME, uid: 0, gid: 0 };
      if (kind === "directory") archive.entry({ ...shared, name: `${path}/`, type: kind, mode: entry.mode });
      else if (kind === "symlink")
        archive.entry({ ...shared, name: path, type: kind, linkname: entry.target, mode: 0o777 });
      else {
        const { contents } = read(await bytesOf(tar([entry], { mtime: MTIME })));
        archive.entry({ ...shared, name: path, mode: entry.mode }, contents);
      }
    }
    archive.finalize();
    const chunks: Uint8Array[] = [];
    for await (const chunk of archive) chunks.push(chunk as Uint8Array); // tar-stream gives nothing else
    const theirs = read(Buffer.concat(chunks));
    assert.deepEqual(ours.entries, theirs.entries);
    assert.ok(ours.contents.equals(theirs.contents));
    assert.ok(ours.entries.length > 70);
  });
});

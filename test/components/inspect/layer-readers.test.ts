import assert from "node:assert/strict";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { before, it } from "node:test";
import { collect } from "../../../src/layer/collect.ts";
import { gzip } from "../../../src/layer/encode/gzip.ts";
import { tar } from "../../../src/layer/encode/tar.ts";
import { split } from "../../../src/layer/split.ts";
import type { Entry } from "../../../src/tar/entry.ts";
import { describeReal } from "../../support/components/components.ts";
import {
  type LayerEntry,
  readDirectory,
  readWithBsdTar,
  readWithGnuTar,
  readWithPython,
} from "../../support/components/layer-readers.ts";
import { run } from "../../support/run.ts";
import { addTree, bytesOf, makeTree, noise, type Tree, temporaryDirectory } from "../../support/trees.ts";

const name = (length: number, letter = "n") => letter.repeat(length);

/** What is hard to write down in a tar: names and links around every limit of ustar, contents around every border. */
const STRANGE: Tree = {
  "plain.py": "print()",
  run: { file: "#!/bin/sh\n", mode: 0o700 },
  empty: "",
  "empty directory": null,
  "-rf": "dash",
  " leading and trailing ": "spaces",
  "back\\slash": "\\",
  "quote'\"": "quotes",
  "caf\u00e9": "composed",
  "cafe\u0301": "decomposed",
  "\u{1f600}/\u{1f601}": "emoji",
  "Case/a": "1",
  "case/a": "2",
  "dot./x": "",
  "12 path=evil": "",
  [name(99)]: "99",
  [name(100)]: "100",
  [name(101)]: "101",
  [name(255)]: "255",
  [`${name(99, "f")}/x`]: "",
  [`${name(100, "f")}/x`]: "",
  [`${name(150, "f")}/x`]: "",
  [`${name(155, "p")}/${name(100)}`]: "prefix, full",
  [`${name(156, "p")}/${name(100)}`]: "prefix, too long",
  [`${"deep/".repeat(100)}file`]: "",
  [`${"\u00e9/".repeat(60)}file`]: "",
  "bytes/511": noise(511),
  "bytes/512": noise(512),
  "bytes/513": noise(513),
  "bytes/1MiB": Buffer.alloc(1024 * 1024, "ab"),
  "bytes/noise": noise(1_500_000),
  "links/plain": { link: "../plain.py" },
  "links/up": { link: "../.." },
  "links/absolute": { link: "/etc/hosts" },
  "links/dangling": { link: "nowhere" },
  "links/caf\u00e9": { link: "../caf\u00e9" },
  "links/ascii": { link: "../caf\u00e9" },
  "links/100": { link: name(100) },
  "links/101": { link: name(101) },
  "links/long": { link: "long/".repeat(200) },
  [`${name(120, "l")}`]: { link: name(120, "t") },
};

async function layerOf(directory: string, mtime: Date): Promise<string> {
  const [group] = split(await collect({ directory, target: "/var/task" }));
  const file = join(temporaryDirectory(), "layer.tar.gz");
  writeFileSync(file, await bytesOf(gzip(Readable.from(tar(group?.entries ?? [], { mtime })), 4)));
  return file;
}

async function readWithBusybox(layer: string, directory: string): Promise<readonly string[]> {
  await mkdir(directory);
  await run("busybox", ["tar", "-xpzf", layer, "-C", directory]);
  return (
    await run("sh", ["-c", "find . -mindepth 1 -printf '%P %y %m %l %s\\n' | sort"], { cwd: directory })
  ).split("\n");
}

for (const seconds of [0, 2 ** 31]) {
  describeReal(`a strange tree packed at ${seconds}`, ["tar", "bsdtar", "busybox", "python3", "root"], () => {
    let layer = "";
    before(async () => {
      layer = await layerOf(makeTree(STRANGE), new Date(seconds * 1000));
    });

    it("is to Python's tarfile what it was on disk", async () => {
      const entries = await readWithPython(layer);
      const prefix = "var/task/";
      for (const [path, leaf] of Object.entries(STRANGE)) {
        const entry = entries.find((one) => one.name === `${prefix}${path}`);
        assert.equal(entry?.mtime, seconds, path);
        if (typeof leaf === "string") assert.equal(entry?.size, Buffer.byteLength(leaf), path);
        if (leaf !== null && typeof leaf === "object" && "link" in leaf) assert.equal(entry?.link, leaf.link);
      }
    });

    it("is the same to GNU tar as to Python", async () =>
      assert.deepEqual(await readWithGnuTar(layer, `${layer}-gnu`), await readWithPython(layer)));

    // libarchive composes names (NFC) as it reads them, so that it sees two of ours as one.
    it("is the same to bsdtar as to Python, but for names that are not composed", async () => {
      const composed = (await readWithPython(layer)).filter((entry) => entry.name === entry.name.normalize());
      assert.deepEqual(await readWithBsdTar(layer, `${layer}-bsd`), composed);
    });

    it("is the same to busybox as to GNU tar", async () => {
      await readWithGnuTar(layer, `${layer}-again`);
      const list = "find . -mindepth 1 -printf '%P %y %m %l %s\\n' | sort";
      const gnu = (await run("sh", ["-c", list], { cwd: `${layer}-again` })).split("\n");
      assert.deepEqual(await readWithBusybox(layer, `${layer}-busybox`), gnu);
    });

    it("keeps the content of every file", async () => {
      await readWithGnuTar(layer, `${layer}-content`);
      for (const [path, leaf] of Object.entries(STRANGE)) {
        if (typeof leaf !== "string" && !(leaf instanceof Uint8Array)) continue;
        const found = readFileSync(join(`${layer}-content`, "var/task", path));
        assert.ok(found.equals(Buffer.from(leaf)), path);
      }
    });
  });
}

/** Each strange leaf as a tree of its own, and trees that are strange as a whole. */
const TREES: readonly Tree[] = [
  ...Object.entries(STRANGE).map(([path, leaf]) => ({ [path]: leaf, "z.py": "" })),
  { a: "" },
  { "a/b/c": null, x: "" },
  { "d/": null, "d.x": "", "d-x": "", d0: "" },
  { "x/y": "1", "x.y": "2", "x-y": "3", "x y": "4" },
  { "\ud7ff": "below", "\ue000": "private", "\ufffd": "replacement", "\u{10000}": "above" },
  { "\u200b": "no width", "\u202e": "from the right" },
  { "a b/c d/e f": "" },
  { "%41": "", $HOME: "", "`id`": "", "*": "", "?": "", "[x]": "", "~": "", "!": "" },
  { "--checkpoint=1": "", "--to-command=id": "" },
  { CON: "", "nul.txt": "", "a:b": "", "a|b": "", "a<b>": "" },
  Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`many/${n}`, `${n}`])),
  { [`${"d/".repeat(300)}f`]: "300 deep" },
  Object.fromEntries(Array.from({ length: 12 }, (_, n) => [name(95 + n), `${n}`])),
  Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`${name(95 + n, "d")}/${name(95 + n)}`, `${n}`])),
  Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`${name(153 + n, "p")}/${name(98)}`, `${n}`])),
  { zeros: Buffer.alloc(3 * 1024 * 1024) },
  { border: noise(1024 * 1024 - 1024), next: "starts a block" },
  { border: noise(1024 * 1024 - 512), next: "ends a block" },
  { border: noise(1024 * 1024 - 511), next: "" },
  { self: { link: "self" }, a: { link: "b" }, b: { link: "a" }, x: "" },
  { dots: { link: ".." }, here: { link: "." }, root: { link: "/" }, x: "" },
  { target: { link: "sp ace\\and 'quotes'" }, x: "" },
];

type Facts = Pick<LayerEntry, "name" | "kind" | "link" | "sha256">;

/** What is in each of the directories in `parent`, by its name. */
async function factsIn(parent: string): Promise<ReadonlyMap<string, readonly LayerEntry[]>> {
  const found = new Map<string, LayerEntry[]>();
  for (const entry of await readDirectory(parent)) {
    const [directory = "", ...rest] = entry.name.split("/");
    if (rest.length === 0) found.set(directory, []);
    else found.get(directory)?.push({ ...entry, name: rest.join("/") });
  }
  return found;
}

/** Without owner, mode and time, which a layer has of its own. */
function factsOf(entries: readonly LayerEntry[] = [], under = ""): readonly Facts[] {
  return entries
    .filter(({ name: path }) => path.startsWith(under) && path !== under)
    .map(({ name: path, kind, link, sha256 }) => ({
      name: path.slice(under.length),
      kind,
      link,
      ...(sha256 !== undefined && { sha256 }),
    }));
}

describeReal("every strange tree", ["tar", "bsdtar", "busybox", "python3", "root"], () => {
  const READERS = { gnu: "tar", bsd: "bsdtar", busybox: "busybox tar" };
  const read = new Map<string, ReadonlyMap<string, readonly LayerEntry[]>>();
  const layers: string[] = [];

  before(async () => {
    const directory = temporaryDirectory();
    for (const [index, tree] of TREES.entries()) {
      addTree(join(directory, "source", `${index}`), tree);
      layers.push(await layerOf(join(directory, "source", `${index}`), new Date(1000)));
      await rename(layers[index] ?? "", join(directory, `${index}.tar.gz`));
      layers[index] = join(directory, `${index}.tar.gz`);
    }
    const unpackAll =
      'for file in *.tar.gz; do to=$1/$(basename "$file" .tar.gz); mkdir -p "$to"; $2 -xpzf "$file" -C "$to"; done';
    for (const [name, command] of Object.entries(READERS)) {
      await run("sh", ["-ec", unpackAll, "sh", name, command], { cwd: directory });
    }
    for (const name of ["source", ...Object.keys(READERS)])
      read.set(name, await factsIn(join(directory, name)));
  });

  it("counts: there are sixty and more", () => assert.ok(TREES.length >= 60, `${TREES.length}`));

  for (const [index, tree] of TREES.entries()) {
    const [first = ""] = Object.keys(tree);
    it(`${index}, with ${JSON.stringify(first.slice(0, 20))}, is what it was on disk to four readers`, async () => {
      const expected = factsOf(read.get("source")?.get(`${index}`));
      const python = await readWithPython(layers[index] ?? "");
      assert.deepEqual(factsOf(python, "var/task/"), expected);
      const gnu = read.get("gnu")?.get(`${index}`);
      assert.deepEqual(gnu, python);
      assert.deepEqual(factsOf(read.get("busybox")?.get(`${index}`), "var/task/"), expected);
      // libarchive composes names (NFC).
      if (Object.keys(tree).every((path) => path === path.normalize()))
        assert.deepEqual(read.get("bsd")?.get(`${index}`), python);
    });
  }
});

describeReal("a gzip layer", ["python3", "gzip", "pigz", "busybox"], () => {
  it("is whole to gzip, pigz, busybox and Python", async () => {
    const layer = await layerOf(makeTree(STRANGE), new Date(0));
    await run("gzip", ["-t", layer]);
    await run("pigz", ["-t", layer]);
    await run("busybox", ["gunzip", "-t", layer]);
    await run("python3", ["-c", "import gzip,sys; gzip.open(sys.argv[1]).read()", layer]);
  });
});

describeReal("a file beyond 8 GiB", ["tar", "bsdtar", "busybox", "python3"], () => {
  const size = 9 * 2 ** 30;
  let archive = "";

  before(async () => {
    const directory = makeTree({ sparse: "" });
    truncateSync(join(directory, "sparse"), size);
    const entry: Entry = { kind: "file", path: "big", mode: 0o644, size, source: join(directory, "sparse") };
    archive = join(temporaryDirectory(), "big.tar");
    // The header as written; the rest is zeros as in the file, which the disk need not hold.
    for await (const header of tar([entry], { mtime: new Date(0) })) {
      writeFileSync(archive, header.subarray(0, 512));
      break;
    }
    truncateSync(archive, 512 + size + 1024);
  });

  it("has its size to GNU tar", async () =>
    assert.match(await run("tar", ["-tvf", archive]), new RegExp(` ${size} `)));
  it("has its size to bsdtar", async () =>
    assert.match(await run("bsdtar", ["-tvf", archive]), new RegExp(` ${size} `)));
  it("has its size to Python", async () =>
    assert.match(
      await run("python3", [
        "-c",
        "import sys,tarfile; print([m.size for m in tarfile.open(sys.argv[1])])",
        archive,
      ]),
      new RegExp(`^\\[${size}\\]`),
    ));
});

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, it } from "node:test";
import { TarReader } from "../../../src/tar/tar-reader.ts";
import { describeReal } from "../../support/components/components.ts";
import { type LayerEntry, readDirectory, readWithPython } from "../../support/components/layer-readers.ts";
import { run } from "../../support/run.ts";
import { temporaryDirectory } from "../../support/trees.ts";

/** What all archives are made of: everything that a tar can say of a file in more than one way. */
const MAKE_TREE = `
import os, sys
os.chdir(sys.argv[1])
def put(name, data=b"x"):
    path = os.fsencode(name) if isinstance(name, str) else name
    os.makedirs(os.path.dirname(path) or b".", exist_ok=True)
    with open(path, "wb") as file: file.write(data)
put("plain.txt", b"plain\\n")
put("empty", b"")
put(b"caf\\xe9.txt", b"latin-1")
put(b"caf\\xe8.txt", b"latin-1 too")
put("caf\\u00e9/\\U0001f600.txt", b"utf-8")
put(" spaces \\\\ and 'quotes' ", b"odd")
put("n" * 99, b"99")
put("n" * 101, b"101")
put("d" * 90 + "/" + "n" * 90, b"prefix")
put("deep/" * 25 + "file", b"deep")
os.mkdir("empty directory")
os.symlink("plain.txt", "link")
os.symlink("t" * 150, "long link")
os.symlink(b"caf\\xe9.txt", "odd link")
os.link("plain.txt", "z hard link")
def sparse(name, size, pieces):
    with open(name, "wb") as file:
        file.truncate(size)
        for offset, data in pieces:
            file.seek(offset); file.write(data)
block = 4096
sparse("sparse-start", 40 * block, [(0, b"A" * block)])
sparse("sparse-middle", 400 * block, [(100 * block, b"B" * block), (300 * block, b"C" * 10)])
sparse("sparse-many", 4000 * block, [(n * 100 * block, b"D" * block) for n in range(40)])
sparse("sparse-hole-only", 50 * block, [])
os.chown("plain.txt", 3000000, 3000001)
`;

/** Programs that write tars, each with the arguments before the names of the files. */
const WRITERS: Readonly<Record<string, readonly [program: string, ...args: readonly string[]]>> = {
  "GNU tar, gnu": ["tar", "--format=gnu"],
  "GNU tar, gnu with holes": ["tar", "--format=gnu", "-S"],
  "GNU tar, oldgnu with holes": ["tar", "--format=oldgnu", "-S"],
  "GNU tar, posix": ["tar", "--format=posix"],
  "GNU tar, posix with holes 0.0": ["tar", "--format=posix", "-S", "--sparse-version=0.0"],
  "GNU tar, posix with holes 0.1": ["tar", "--format=posix", "-S", "--sparse-version=0.1"],
  "GNU tar, posix with holes 1.0": ["tar", "--format=posix", "-S", "--sparse-version=1.0"],
  "GNU tar, ustar": ["tar", "--format=ustar"],
  "GNU tar, v7": ["tar", "--format=v7"],
  "bsdtar as it is": ["bsdtar"],
  "bsdtar, pax": ["bsdtar", "--format=pax"],
  "bsdtar, gnutar": ["bsdtar", "--format=gnutar"],
  "bsdtar, ustar": ["bsdtar", "--format=ustar"],
  "busybox tar": ["busybox", "tar"],
};
const PYTHON_FORMATS = ["PAX_FORMAT", "GNU_FORMAT", "USTAR_FORMAT"] as const;
const WRITE_WITH_PYTHON = `
import os, sys, tarfile
with tarfile.open(sys.argv[1], "w", format=getattr(tarfile, sys.argv[2])) as archive:
    for name in sorted(os.listdir(b".")):
        for directory, names, files in [(name, [], [])] if not os.path.isdir(name) else os.walk(name):
            for path in [directory] + [os.path.join(directory, file) for file in files]:
                try: archive.add(os.fsdecode(path), recursive=False)
                except ValueError: pass
`;
const WRITE_WITH_NODE_TAR = `
const { create } = require(process.argv[1]);
const names = require("node:fs").readdirSync(".").filter((name) => !name.includes("\\ufffd")); // it knows UTF-8 only
create({ file: process.argv[2], portable: process.argv[3] === "portable" }, names).then(() => {});
`;

interface Facts {
  readonly name: string;
  readonly kind: string;
  readonly link: string;
  readonly size: number;
  readonly sha256: string;
}

const work = temporaryDirectory();
const at = (name: string) => join(work, name);

/** What our reader finds, by name; a hard link has the content of its target. */
function readOurs(path: string): readonly Facts[] {
  const found = new Map<string, Facts>();
  let hash = createHash("sha256");
  const reader = new TarReader({
    enter({ path: name, kind, link, size }) {
      hash = createHash("sha256");
      if (name === undefined || name === "") return undefined;
      if (kind === "hardlink") {
        const target = found.get(link.replace(/^\.\//, ""));
        found.set(name, { ...(target ?? assert.fail(link)), name });
        return undefined;
      }
      found.set(name, { name, kind, link: kind === "symlink" ? link : "", size, sha256: "" });
      return kind === "file" ? { head: 0 } : undefined;
    },
    content: (_entry, piece) => void hash.update(piece),
    leave({ path: name = "" }) {
      const facts = found.get(name);
      if (facts) found.set(name, { ...facts, sha256: hash.digest("hex") });
    },
  });
  const tar = readFileSync(path);
  for (let start = 0; start < tar.length; start += 100_003) reader.push(tar.subarray(start, start + 100_003));
  reader.end();
  return sorted([...found.values()]);
}

/** The same of what another reader found. */
function factsOf(entries: readonly LayerEntry[]): readonly Facts[] {
  const plain = (name: string) => name.replace(/^\.\//, "");
  const facts = new Map<string, Facts>();
  for (const { name, kind, link, size = 0, sha256 = "" } of entries)
    facts.set(plain(name), { name: plain(name), kind: KINDS[kind] ?? kind, link, size, sha256 });
  facts.delete(".");
  const linked = [...facts.values()].map((one) => {
    const target = one.kind === "hardlink" ? facts.get(plain(one.link)) : undefined;
    return target ? { ...target, name: one.name } : one;
  });
  return sorted(linked);
}

/** As Python names them. */
const KINDS: Readonly<Record<string, string>> = {
  directory: "directory",
  "b'S'": "file",
  "b'\\x00'": "file",
};

function sorted(facts: readonly Facts[]): readonly Facts[] {
  return [...facts].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function unpackedWith(
  program: readonly string[],
  archive: string,
  name: string,
): Promise<readonly Facts[]> {
  const directory = at(name);
  mkdirSync(directory);
  const [command = "", ...words] = program;
  await run("sh", [
    "-c",
    'cd "$1" && shift && "$@" || true',
    "sh",
    directory,
    command,
    ...words,
    "-xf",
    archive,
  ]);
  return factsOf(await readDirectory(directory));
}

describeReal("tars of other programs", ["tar", "bsdtar", "busybox", "python3", "npm", "root"], () => {
  const archives: Record<string, string> = {};
  before(async () => {
    const tree = at("tree");
    mkdirSync(tree);
    await run("python3", ["-c", MAKE_TREE, tree]);
    for (const [index, [name, [program, ...words]]] of Object.entries(WRITERS).entries()) {
      const path = at(`${index}.tar`);
      // Some formats cannot hold every name: the program leaves those files out and says so.
      await run("sh", [
        "-c",
        'cd "$1" && shift && "$@" . || true',
        "sh",
        tree,
        program,
        ...words,
        "-cf",
        path,
      ]);
      archives[name] = path;
    }
    for (const format of PYTHON_FORMATS) {
      archives[`Python, ${format}`] = at(`${format}.tar`);
      await run("python3", ["-c", WRITE_WITH_PYTHON, at(`${format}.tar`), format], { cwd: tree });
    }
    const modules = at("npm");
    mkdirSync(modules);
    await run("npm", ["install", "--no-audit", "--no-fund", "--prefix", modules, "tar@7"]);
    for (const mode of ["portable", "full"]) {
      archives[`node-tar, ${mode}`] = at(`node-${mode}.tar`);
      const words = [at("npm/node_modules/tar"), at(`node-${mode}.tar`), mode];
      await run(process.execPath, ["-e", WRITE_WITH_NODE_TAR, ...words], { cwd: tree });
    }
  });

  const names = [
    ...Object.keys(WRITERS),
    ...PYTHON_FORMATS.map((format) => `Python, ${format}`),
    "node-tar, portable",
    "node-tar, full",
  ];
  for (const [index, name] of names.entries()) {
    it(`an archive of ${name} has the names, kinds, sizes and contents that Python reads`, async () => {
      const archive = archives[name] ?? assert.fail();
      const ours = readOurs(archive);
      assert.ok(ours.length > 10);
      assert.deepEqual(ours, factsOf(await readWithPython(archive)));
    });

    it(`an archive of ${name} has what GNU tar and bsdtar unpack`, async () => {
      const archive = archives[name] ?? assert.fail();
      const ours = readOurs(archive);
      assert.deepEqual(await unpackedWith(["tar"], archive, `${index}-gnu`), ours);
      // libarchive refuses names that are not UTF-8 in PAX headers that do not say so.
      const isUtf8 = ({ name: path, link }: Facts) => !/[\udc80-\udcff\u00e8\u00e9]/.test(path + link);
      const bsd = await unpackedWith(["bsdtar"], archive, `${index}-bsd`);
      assert.deepEqual(bsd.filter(isUtf8), ours.filter(isUtf8));
    });
  }

  it("busybox unpacks what we read of archives without holes", async () => {
    for (const name of ["GNU tar, gnu", "GNU tar, ustar", "busybox tar", "Python, GNU_FORMAT"]) {
      const archive = archives[name] ?? assert.fail();
      const label = `busybox-${name.replace(/\W/g, "")}`;
      assert.deepEqual(await unpackedWith(["busybox", "tar"], archive, label), readOurs(archive), name);
    }
  });
});

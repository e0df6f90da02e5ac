import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { fileURLToPath } from "node:url";
import { describeReal } from "../../support/components/components.ts";
import { run } from "../../support/run.ts";

/** What all of them share; `out` is the layer. Members of gzip follow each other, so that what repeats is compressed once. */
const PRELUDE = `
import gzip, io, os, sys, tarfile, zlib
out = open(sys.argv[1], "wb")
def header(name, size=0, kind=tarfile.REGTYPE, mode=0o644):
    info = tarfile.TarInfo(name); info.type = kind; info.size = size; info.mode = mode
    return info.tobuf(tarfile.GNU_FORMAT)
def member(data, level=1): return gzip.compress(data, level, mtime=0)
def put(data): out.write(member(data))
def directories(*names): put(b"".join(header(name, kind=tarfile.DIRTYPE, mode=0o755) for name in names))
def files(count, name, **more):
    for start in range(0, count, 10000): put(b"".join(header(name % number, **more) for number in range(start, start + 10000)))
def repeated(piece, count):
    for _ in range(count): out.write(piece)
end = bytes(1024)
`;

interface Hostility {
  readonly python: string;
  /** Rules that have to be among those that are broken. */
  readonly rules: readonly string[];
  readonly says: RegExp;
  /** Memory in MB beyond that of Node itself. Default: 155. */
  readonly mostMb?: number;
}

const MEGABYTES = "1024 * 1024";
const HOSTILITIES: Readonly<Record<string, Hostility>> = {
  "a bomb that inflates to more than 1000 times its size": {
    python: `put(header("bomb", 9000 * ${MEGABYTES})); repeated(member(bytes(64 * ${MEGABYTES}), 9), 140)`,
    rules: ["layer-content"],
    says: /inflates to more than 1000 times its size/,
  },
  "11 GB of what may be data": {
    python: `put(header("data", 11000 * ${MEGABYTES})); repeated(member(os.urandom(16384) * 4096, 1), 172)`,
    rules: ["size"],
    says: /more than 10 GB uncompressed/,
  },
  "names that lead out of the image": {
    python: `directories("var", "var/task"); files(200000, "../../etc/passwd-%d"); put(end)`,
    rules: ["entry-name"],
    says: /200000 names with \.\. or too long/,
  },
  "100,000 files of one directory that nobody may read, whose names collide": {
    python: `directories("var", "var/task"); files(50000, "var/task/a%d", mode=0); files(50000, "var/task/A%d", mode=0); put(end)`,
    rules: ["readable", "colliding-names"],
    says: /100000 files or directories that only their owner may read/,
  },
  "100,000 files that are called like secrets": {
    python: `directories("var", "var/task"); files(100000, "var/task/.env.%d"); put(end)`,
    rules: ["secret-files"],
    says: /100000 files that should not be in an image/,
  },
  "100,000 links in a circle": {
    python: `directories("var", "var/task")
for start in range(0, 100000, 10000):
    infos = []
    for number in range(start, start + 10000):
        info = tarfile.TarInfo("var/task/l%d" % number); info.type = tarfile.SYMTYPE; info.linkname = "l%d" % ((number + 1) % 100000)
        infos.append(info.tobuf(tarfile.GNU_FORMAT))
    put(b"".join(infos))
put(end)`,
    rules: ["links"],
    says: /20000 links lead to nothing in the image/,
  },
  "a directory in a directory, a thousand times": {
    python: `put(b"".join(header("/".join(["d"] * depth), kind=tarfile.DIRTYPE) for depth in range(1, 1500)) + end)`,
    rules: ["entrypoint"],
    says: /neither ENTRYPOINT nor CMD/,
  },
  "310,000 entries": {
    python: `directories("var"); files(310000, "var/%d"); put(end)`,
    rules: ["layer-content"],
    says: /more than 300000 files and directories/,
    mostMb: 300,
  },
  "a header whose sum is wrong": {
    python: `block = bytearray(header("file")); block[0] ^= 1; put(bytes(block) + end)`,
    rules: ["layer-content"],
    says: /is not a tar/,
  },
  "a second header that is noise": {
    python: `put(header("file") + os.urandom(512) + end)`,
    rules: ["layer-content"],
    says: /tar is damaged, near byte/,
  },
  "an extended header of 8 GB": {
    python: `put(header("pax", 8000 * ${MEGABYTES}, tarfile.XHDTYPE)); repeated(member(bytes(64 * ${MEGABYTES}), 1), 4)`,
    rules: ["layer-content"],
    says: /extended header of more than 1 MiB/,
  },
  "an extended header that is none": {
    python: `body = b"99999 path=x"; put(header("pax", len(body), tarfile.XHDTYPE) + body.ljust(512, b"\\0") + header("file") + end)`,
    rules: ["layer-content"],
    says: /damaged PAX header/,
  },
  "a file that ends early": {
    python: `put(header("file", 1000000) + bytes(1000))`,
    rules: ["layer-content"],
    says: /is cut off/,
  },
  "a gzip that ends early": {
    python: `out.write(member(header("file", 100000) + os.urandom(100352))[:5000])`,
    rules: ["layer-content"],
    says: /its gzip ends early or is wrong/,
  },
  "noise instead of a gzip": {
    python: `out.write(b"\\x1f\\x8b" + os.urandom(1000000))`,
    rules: ["layer-content"],
    says: /its gzip ends early or is wrong/,
  },
};

describeReal("a hostile layer", ["python3"], () => {
  const directory = mkdtempSync(join(tmpdir(), "lambda-pack-hostile-"));
  after(() => rmSync(directory, { recursive: true, force: true }));
  const script = fileURLToPath(new URL("../../support/processes/check-layer.ts", import.meta.url));

  for (const [name, { python, rules, says, mostMb = 155 }] of Object.entries(HOSTILITIES)) {
    it(`check of a hostile layer ends in a finding within ${mostMb} MB: ${name}`, async () => {
      const layer = join(directory, "layer.tar.gz");
      await run("python3", ["-c", `${PRELUDE}\n${python}\nout.close()`, layer], { limitMs: 200_000 });
      const told = await run(process.execPath, ["--import", import.meta.resolve("tsx"), script, layer], {
        limitMs: 400_000,
      });
      const { rules: broken, messages, grownMb } = JSON.parse(told);
      assert.deepEqual(
        rules.filter((rule) => !broken.includes(rule)),
        [],
        told,
      );
      assert.match(messages.join("\n"), says);
      assert.ok(messages.every((message: string) => message.length < 2000));
      assert.ok(grownMb < mostMb, told);
    });
  }
});

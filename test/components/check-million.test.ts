import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { fileURLToPath } from "node:url";
import { describeReal } from "../support/components.ts";
import { run } from "../support/run.ts";

const FOLDERS = 1000;
const FILES = 1000;
/** Python's tarfile writes them in half a minute; the headers of one folder, with other numbers in them, do it in two seconds. */
const WRITER = `
import gzip, io, sys, tarfile
def header(name, kind):
    info = tarfile.TarInfo(name); info.type = kind; return info.tobuf(tarfile.USTAR_FORMAT)
with gzip.open(sys.argv[1], "wb", compresslevel=1) as out:
    for folder in ["var", "var/task"]: out.write(header(folder, tarfile.DIRTYPE))
    for folder in range(${FOLDERS}):
        out.write(header("var/task/folder-%d" % folder, tarfile.DIRTYPE))
        for file in range(${FILES}): out.write(header("var/task/folder-%d/file-%d.js" % (folder, file), tarfile.REGTYPE))
    out.write(bytes(1024))
`;

describeReal("a layer of 1,000,000 files", ["python3"], () => {
  const folder = mkdtempSync(join(tmpdir(), "lambda-pack-million-"));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("is held to every rule in 200 MB of memory, Node's own 45 included", async () => {
    const layer = join(folder, "layer.tar.gz");
    await run("python3", ["-c", WRITER, layer], { limitMs: 400_000 });
    const script = fileURLToPath(new URL("../support/check-million.ts", import.meta.url));
    const told = await run(process.execPath, ["--import", import.meta.resolve("tsx"), script, layer], {
      limitMs: 400_000,
    });
    const { paths, rules, grownMb } = JSON.parse(told);
    assert.equal(paths, FOLDERS * FILES + FOLDERS + 3);
    assert.ok(rules.includes("entrypoint"), told);
    assert.ok(grownMb < 155, told);
  });
});

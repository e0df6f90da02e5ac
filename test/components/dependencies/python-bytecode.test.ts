import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, it } from "node:test";
import { collect } from "../../../src/layer/collect.ts";
import { tar } from "../../../src/layer/encode/tar.ts";
import { split } from "../../../src/layer/split.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { describeReal } from "../../support/components/components.ts";
import { run } from "../../support/run.ts";
import { bytesOf, temporaryDirectory } from "../../support/trees.ts";

/** Writes a wheel with Python's own zipfile. */
const MAKE_WHEEL = `
import base64, hashlib, sys, zipfile
code = "import os\\nNAMES = ['a', 'b']\\ndef f(x):\\n    def g(y): return y + 1\\n    return [g(i) for i in x]\\nclass C:\\n    def m(self): return lambda: self\\n"
info = "shop-1.0.dist-info"
files = {"shop/__init__.py": "from .a import f\\n", "shop/a.py": code, "shop/caf\\u00e9.py": code * 3, "single.py": code,
         info + "/METADATA": "Metadata-Version: 2.1\\nName: shop\\nVersion: 1.0\\n",
         info + "/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}
def line(path, text):
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(text.encode())}\\n"
files[info + "/RECORD"] = "".join(line(*item) for item in files.items()) + info + "/RECORD,,\\n"
with zipfile.ZipFile(sys.argv[1] + "/shop-1.0-py3-none-any.whl", "w") as wheel:
    for path, text in files.items(): wheel.writestr(path, text)
`;

const work = temporaryDirectory();

/** Installs the wheel with pip and gives the layer's tar. */
async function installed(name: string): Promise<Buffer> {
  const directory = join(work, name);
  const temporary = join(work, `${name}-temporary-files`);
  mkdirSync(temporary);
  const options = ["--quiet", "--no-index", "--find-links", work, "--target", directory];
  await run("python3", ["-m", "pip", "install", ...options, "shop"], {
    env: { ...process.env, TMPDIR: temporary, PIP_ROOT_USER_ACTION: "ignore" },
  });
  writeFileSync(join(directory, "app.py"), "import shop, single\n");
  const [deps] = split(await collect({ directory, target: "/var/task" }));
  assert.equal(deps?.name, "deps");
  return bytesOf(tar(deps?.entries ?? [], { mtime: new Date("1980-01-02T00:00:00Z") }));
}

describeReal("bytecode that pip compiled", ["pip", "python3", "tar"], () => {
  before(() => run("python3", ["-c", MAKE_WHEEL, work]));

  it("bytecode of two installations in different temporary directories gives one layer", async () => {
    assert.equal(digestOf(await installed("one")), digestOf(await installed("the-other")));
  });

  it("bytecode is used by Python from the unpacked layer (python -v)", async () => {
    const layer = join(work, "layer.tar");
    writeFileSync(layer, await installed("third"));
    const root = join(work, "root");
    mkdirSync(root);
    await run("tar", ["-xf", layer, "-C", root]);
    const site = join(root, "var/task");
    const script =
      "import sys; sys.path.insert(0, sys.argv[1]); import shop, single, importlib; importlib.import_module('shop.caf\\u00e9')";
    const { stderr } = await runForStderr(["-v", "-c", script, site]);
    for (const module of ["shop/__init__", "shop/a", "shop/caf\u00e9", "single"]) {
      assert.match(stderr, new RegExp(`pyc matches ${site}/${module}\\.py`));
    }
    assert.doesNotMatch(stderr, /stale/);
  });
});

/** python -v writes to stderr. */
async function runForStderr(words: readonly string[]): Promise<{ readonly stderr: string }> {
  const program =
    "import subprocess, sys; r = subprocess.run([sys.executable] + sys.argv[1:], stderr=subprocess.PIPE, text=True); print(r.stderr); sys.exit(r.returncode)";
  return { stderr: await run("python3", ["-c", program, ...words]) };
}

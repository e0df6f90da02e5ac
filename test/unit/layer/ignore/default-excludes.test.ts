import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { type CollectOptions, collect } from "../../../../src/layer/collect.ts";
import { TOOL_NAMES } from "../../../../src/layer/ignore/default-excludes.ts";
import { makeTree, type Tree } from "../../../support/trees.ts";

type Options = Partial<CollectOptions>;

const collected = (tree: Tree, more: Options = {}) =>
  collect({ directory: makeTree(tree), target: "/", ...more });

async function pathsOf(tree: Tree, more: Options = {}): Promise<readonly string[]> {
  return (await collected(tree, more)).files.map(({ path }) => path);
}

async function warningsOf(tree: Tree, more: Options = {}): Promise<readonly string[]> {
  return (await collected(tree, more)).warnings.map(({ message }) => message);
}

const SITE = "lib/python3.12/site-packages";
const environment = (at: string, module = "requests"): Tree => ({
  [`${at}/pyvenv.cfg`]: "home = /usr/bin\n",
  [`${at}/bin/python3`]: { link: "/usr/bin/python3" },
  [`${at}/${SITE}/${module}/__init__.py`]: "",
  [`${at}/${SITE}/pip/__init__.py`]: "",
});

describe("default excludes", () => {
  for (const name of TOOL_NAMES)
    it(`${name} is left out, also below the root`, async () =>
      assert.deepEqual(
        await pathsOf({ "app.py": "", [`${name}/x`]: "", [`packages/a/${name}/x`]: "", "packages/a/b": "" }),
        ["app.py", "packages/a/b"],
      ));

  for (const [what, tree] of [
    ["a virtual environment .venv", environment(".venv")],
    ["a virtual environment venv", environment("venv")],
    ["a virtual environment env", environment("env")],
    ["a virtual environment with its version in its name", environment("venv3.12")],
    ["a virtual environment below the root", environment("services/a/.venv")],
    ["a link named .venv", { ".venv": { link: "/home/me/.cache/envs/app-py3.12" } }],
    ["the coverage report of Istanbul", { "coverage/lcov.info": "", "coverage/index.html": "" }],
    ["the coverage report of coverage.py", { "htmlcov/status.json": "", "htmlcov/index.html": "" }],
    ["the data of coverage.py", { ".coverage": "", ".coverage.host.1": "" }],
    ["the output of the CDK", { "cdk.out/manifest.json": "{}", "cdk.out/asset.1/x": "" }],
    ["a swap file of Vim", { ".app.py.swp": "", "services/a/.x.swo": "" }],
  ] as const)
    it(`${what} is left out`, async () =>
      assert.deepEqual(await pathsOf({ "services/a/b.py": "", ...tree }), ["services/a/b.py"]));

  for (const [what, tree] of [
    ["a directory venv without pyvenv.cfg", { "venv/x.py": "" }],
    ["a part of the app named env", { "env/index.js": "" }],
    ["a part of the app named coverage", { "coverage/index.js": "" }],
    [
      "an installed package named coverage",
      { "coverage/__init__.py": "", "coverage-7.6.dist-info/RECORD": "" },
    ],
    ["bytecode", { "__pycache__/app.cpython-312.pyc": "" }],
    ["the cache that Puppeteer finds its browser in", { ".cache/puppeteer/chrome/x": "" }],
    ["the engines of Prisma", { "node_modules/.prisma/client/x.node": "" }],
    ["packages of pnpm", { "node_modules/.pnpm/a@1/node_modules/a/.vscode/settings.json": "" }],
    ["packages of npm", { "node_modules/a/.idea/x": "", "node_modules/a/coverage/lcov.info": "" }],
    ["packages of Yarn", { ".yarn/unplugged/a/node_modules/a/.nyc_output/x": "" }],
    ["packages of Bundler", { "vendor/bundle/ruby/3.3.0/gems/a/.vscode/x": "" }],
    ["packages of a Debian directory", { "usr/lib/python3/dist-packages/a/.tox/x": "" }],
    ["packages of pip", { "a/template/.vscode/x": "", "a/venv/pyvenv.cfg": "", "a-1.dist-info/RECORD": "" }],
    ["packages of pip below the root", { "python/a/.idea/x": "", "python/a-1.dist-info/RECORD": "" }],
    ["a package that setuptools installed", { "a/.vscode/x": "", "a-1.egg-info/PKG-INFO": "" }],
  ] as const)
    it(`${what}: nothing of it is left out`, async () =>
      assert.deepEqual(await pathsOf(tree), Object.keys(tree).sort()));

  it("what is left out is told, without what is in it", async () => {
    const tree = { ...environment(".venv"), ".vscode/a": "", "b/.mypy_cache/c/d": "", "app.py": "" };
    assert.deepEqual((await collected(tree)).leftOut, [".venv", ".vscode", "b/.mypy_cache"]);
  });

  it("an installation is collected without default excludes", async () =>
    assert.deepEqual(await pathsOf({ ".vscode/a": "" }, { inUse: false }), [".vscode/a"]));

  it("docs/files.md names each of them", () => {
    const docs = readFileSync(new URL("../../../../docs/files.md", import.meta.url), "utf8");
    for (const name of TOOL_NAMES) assert.ok(docs.includes(`\`${name}\``), name);
  });
});

describe("an ignore file and default excludes", () => {
  const tree = { "app.py": "", ".vscode/a": "", ".vscode/b": "", ".idea/c": "" };

  for (const [what, lines, expected] of [
    ["brings one back", "!.vscode", [".vscode/a", ".vscode/b", "app.py"]],
    ["brings a part of one back", "!.vscode/a", [".vscode/a", "app.py"]],
    ["brings all of a name back", "!**/.vscode", [".vscode/a", ".vscode/b", "app.py"]],
    ["brings one back without a part", "!.vscode\n.vscode/b", [".vscode/a", "app.py"]],
    ["leaves more out", "app.py\n!.idea", [".idea/c"]],
    ["brings another directory back", "*\n!app.py", ["app.py"]],
  ] as const)
    it(`a line ${what}`, async () =>
      assert.deepEqual(await pathsOf({ ...tree, ".lambdaignore": lines }), expected));

  it("--exclude with ! brings one back", async () =>
    assert.deepEqual(await pathsOf(tree, { exclude: ["!.idea"] }), [".idea/c", "app.py"]));

  it("a line that brings a directory back does not bring back what tools keep in it", async () => {
    const files = { "src/a.py": "", "src/.mypy_cache/x": "", "b.py": "" };
    for (const lines of ["*\n!src", "*\n!s*"])
      assert.deepEqual(await pathsOf({ ...files, ".lambdaignore": lines }), ["src/a.py"], lines);
  });
});

describe("a virtual environment that the function uses", () => {
  const kept = [`.venv/${SITE}/pip/__init__.py`, `.venv/${SITE}/requests/__init__.py`];
  const isKept = async (more: Tree, inUse: readonly string[] = []) => {
    const paths = await pathsOf({ ...environment(".venv"), "app.py": "", ...more }, { inUse });
    return kept.every((path) => paths.includes(path));
  };

  for (const [what, tree, inUse] of [
    ["PYTHONPATH names it", {}, [`/var/task/.venv/${SITE}`]],
    ["PATH names it", {}, ["/var/task/.venv/bin:/usr/bin"]],
    ["ENTRYPOINT starts its Python", {}, [".venv/bin/python", "-m", "awslambdaric"]],
    ["the handler adds it to sys.path", { "app.py": `sys.path.insert(0, ".venv/${SITE}")` }, []],
    ["the handler adds its parts to sys.path", { "app.py": `HERE / ".venv" / "lib" / "python3.12"` }, []],
    ["bootstrap runs something in it", { bootstrap: "exec .venv/bin/uvicorn app:app" }, []],
    ["a script that the command names runs it", { "run.sh": "exec .venv/bin/uvicorn app:app" }, ["run.sh"]],
  ] as const)
    it(`a virtual environment that the function uses is packed where ${what}`, async () =>
      assert.equal(await isKept(tree, inUse), true));

  for (const [what, tree] of [
    [
      "a script that only development runs",
      { "setup.sh": "python -m venv .venv && .venv/bin/pip install x" },
    ],
    ["a setting of a linter", { "noxfile.py": 'exclude = [".venv"]' }],
  ] as const)
    it(`a virtual environment that the function uses is left out where only ${what} names it`, async () =>
      assert.equal(await isKept(tree), false));
});

describe("packages that only a virtual environment has", () => {
  const app = { ...environment(".venv"), "app.py": "import os\nimport requests\n" };
  const told =
    ".venv is left out, since Lambda does not look for packages there, and only it has requests, which app.py imports";

  for (const [what, tree] of [
    ["import", {}],
    ["from", { "app.py": "from requests.adapters import X" }],
    ["a list", { "app.py": "import os, requests as r" }],
    ["a file below the root", { "app.py": "", "src/svc/app.py": "import requests" }],
  ] as const)
    it(`packages that only a virtual environment has are told if the app needs them (${what})`, async () => {
      const [message, ...more] = await warningsOf({ ...app, ...tree });
      assert.match(message ?? "", /only it has requests, which (?:src\/svc\/)?app\.py imports$/);
      assert.deepEqual(more, []);
      if (what === "import") assert.equal(message, told);
    });

  for (const [what, tree, more] of [
    ["the app does not import them", { "app.py": "import os" }, {}],
    ["the app has them too", { "requests/__init__.py": "" }, {}],
    [
      "requirements.txt names them, of which rule dependencies speaks",
      { "requirements.txt": "requests\n" },
      {},
    ],
    ["they will be installed", {}, { installs: true }],
    ["Lambda's runtime has them", { ...environment(".venv", "boto3"), "app.py": "import boto3" }, {}],
    ["only tests import them", { "app.py": "", "tests/test_app.py": "import requests" }, {}],
  ] as const)
    it(`packages that only a virtual environment has are not told where ${what}`, async () =>
      assert.deepEqual(await warningsOf({ ...app, ...tree }, more), []));
});

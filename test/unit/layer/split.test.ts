import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { collect } from "../../../src/layer/collect.ts";
import { type SplitRule, split } from "../../../src/layer/split.ts";
import { makeTree, type Tree } from "../../support/trees.ts";

/** Each group's name with the files in it, directories left out. */
async function groupsOf(
  tree: Tree,
  rules: readonly SplitRule[] = [],
): Promise<Readonly<Record<string, readonly string[]>>> {
  const groups = split(await collect({ directory: makeTree(tree), target: "/" }), rules);
  return Object.fromEntries(
    groups.map(({ name, entries }) => [
      name,
      [...entries].filter(({ kind }) => kind !== "directory").map(({ path }) => path),
    ]),
  );
}

describe("splitting", () => {
  for (const [what, deps, app] of [
    [
      "node_modules, at any depth",
      ["api/node_modules/b/x", "node_modules/.bin/a", "node_modules/a/x"],
      ["index.js"],
    ],
    ["Bundler's directory", ["vendor/bundle/ruby/3.3.0/gems/a.rb"], ["app.rb", "vendor/own.rb"]],
    ["jars in lib", ["lib/a.jar"], ["lib/note.txt", "lib/sub/b.jar", "other/lib/c.jar"]],
  ] as const) {
    it(`puts ${what} into deps and the rest into app`, async () => {
      const tree = Object.fromEntries([...deps, ...app].map((path) => [path, ""]));
      assert.deepEqual(await groupsOf(tree), { deps, app });
    });
  }

  it("counts in each group what is not a directory, and the bytes in it", async () => {
    const directory = makeTree({ "node_modules/a": "12", b: "3", "c/d": { link: "../b" }, e: null });
    const groups = split(await collect({ directory, target: "/" }));
    assert.deepEqual(
      groups.map(({ name, files, bytes }) => ({ name, files, bytes })),
      [
        { name: "deps", files: 1, bytes: 2 },
        { name: "app", files: 2, bytes: 1 },
      ],
    );
  });

  it("splitting has dependencies first and app last, and no group without files", async () => {
    assert.deepEqual(Object.keys(await groupsOf({ "z.js": "", "node_modules/a": "" })), ["deps", "app"]);
    assert.deepEqual(Object.keys(await groupsOf({ "z.js": "" })), ["app"]);
    assert.deepEqual(Object.keys(await groupsOf({ "node_modules/a": "" })), ["deps"]);
  });

  it("gives every group the parents of what is in it, and only those", async () => {
    const directory = makeTree({ "node_modules/a/x": "", "src/y": "" });
    const directoryModes = new Map([["var", 0o711]]);
    const groups = split(await collect({ directory, target: "/var/task", directoryModes }));
    assert.deepEqual(
      groups.map(({ entries }) => [...entries].map(({ path }) => path)),
      [
        ["var", "var/task", "var/task/node_modules", "var/task/node_modules/a", "var/task/node_modules/a/x"],
        ["var", "var/task", "var/task/src", "var/task/src/y"],
      ],
    );
    assert.ok(groups.every(({ entries: [first] }) => first?.kind === "directory" && first.mode === 0o711));
  });

  it("takes rules by hand first, in their order, and a file goes to the first that names it", async () => {
    const tree = { "models/a.bin": "", "models/b.bin": "", "node_modules/x": "", "app.py": "" };
    const rules = [
      { name: "first", glob: "models/a*" },
      { name: "models", glob: "models/**" },
      { name: "unused", glob: "nothing" },
    ];
    assert.deepEqual(await groupsOf(tree, rules), {
      first: ["models/a.bin"],
      models: ["models/b.bin"],
      deps: ["node_modules/x"],
      app: ["app.py"],
    });
  });

  it("joins rules of one name", async () => {
    const rules = [
      { name: "data", glob: "a" },
      { name: "data", glob: "b" },
    ];
    assert.deepEqual(await groupsOf({ a: "", b: "", c: "" }, rules), { data: ["a", "b"], app: ["c"] });
  });

  it("names the rule whose glob means nothing", () =>
    assert.rejects(groupsOf({ a: "" }, [{ name: "data", glob: "a[" }]), {
      code: "USAGE",
      message: /--layer data/,
    }));
});

describe("installed Python packages", () => {
  const RECORD = [
    "requests/__init__.py,sha256=abc,10",
    "requests/sub/x.py,,",
    "six.py,sha256=abc,10",
    "__pycache__/six.cpython-312.pyc,,",
    '"odd,name/__init__.py",,',
    "requests-2.0.dist-info/RECORD,,",
    "../../bin/tool,sha256=abc,10",
    "../../../etc/passwd,,",
    "",
  ];

  const INSTALLED = {
    "requests/__init__.py": "",
    "requests/sub/x.py": "",
    "requests/__pycache__/x.pyc": "",
    "six.py": "",
    "__pycache__/six.cpython-312.pyc": "",
    "odd,name/__init__.py": "",
    "bin/tool": "",
    "requests-2.0.dist-info/METADATA": "",
  };
  const OWN = { "app.py": "", "bin/own": "", "__pycache__/app.cpython-312.pyc": "", "own/x.py": "" };

  for (const [where, site] of [
    ["beside the app", ""],
    ["in a directory of their own", "python/lib/"],
  ] as const) {
    for (const newline of ["\n", "\r\n"]) {
      it(`installed Python packages are told by RECORD ${where}, lines ending in ${JSON.stringify(newline)}`, async () => {
        const inSite = (tree: Tree) =>
          Object.fromEntries(Object.entries(tree).map(([path, leaf]) => [site + path, leaf]));
        const record = { "requests-2.0.dist-info/RECORD": RECORD.join(newline) };
        const groups = await groupsOf(inSite({ ...INSTALLED, ...record, ...OWN }));
        assert.deepEqual(groups["app"], Object.keys(inSite(OWN)).toSorted());
        assert.deepEqual(groups["deps"], Object.keys(inSite({ ...INSTALLED, ...record })).toSorted());
      });
    }
  }

  it("installed Python packages are told by top_level.txt where RECORD is missing", async () => {
    const tree = {
      "PyYAML-6.0.dist-info/top_level.txt": "_yaml\nyaml\n",
      "yaml/x.py": "",
      "_yaml/y.py": "",
      "a.py": "",
    };
    assert.deepEqual((await groupsOf(tree))["app"], ["a.py"]);
  });

  it("installed Python packages are told by the name of their directory where both are missing", async () => {
    const tree = { "Jinja2-3.1.dist-info/METADATA": "", "jinja2/x.py": "", "a.py": "" };
    assert.deepEqual((await groupsOf(tree))["app"], ["a.py"]);
  });

  it("installed Python packages are told by the .egg-info of setuptools and distutils", async () => {
    const tree = {
      "numpy-1.24.2.egg-info/top_level.txt": "numpy\n",
      "numpy/core.py": "",
      "six-1.16.0.egg-info": "Metadata-Version: 1.1\n",
      "six.py": "",
      "lxml-4.9-py3.11.egg-info/installed-files.txt": "../lxml/etree.py\n../../../../bin/lx\nPKG-INFO\n",
      "lxml/etree.py": "",
      "bin/lx": "",
      "a.py": "",
    };
    assert.deepEqual((await groupsOf(tree))["app"], ["a.py"]);
  });

  it("installed Python packages do not count the .egg-info that a development install leaves beside the app's own code", async () => {
    const tree = { "shop.egg-info/top_level.txt": "shop\n", "shop/app.py": "" };
    const { app } = await groupsOf(tree);
    assert.deepEqual(app, ["shop.egg-info/top_level.txt", "shop/app.py"]);
  });

  it("installed Python packages are nothing to go by when the ignore file leaves their .dist-info out", async () => {
    const tree = { ".dockerignore": "*.dist-info", "x-1.dist-info/RECORD": "x/y.py,,", "x/y.py": "" };
    assert.deepEqual(await groupsOf(tree), { app: ["x/y.py"] });
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CollectOptions, collect } from "../../../../src/layer/collect.ts";
import { cleanPattern, compileIgnore } from "../../../../src/layer/ignore/ignore.ts";
import { failsWith } from "../../../support/errors.ts";
import { makeTree, type Tree } from "../../../support/trees.ts";

async function pathsOf(tree: Tree, more: Partial<CollectOptions> = {}): Promise<readonly string[]> {
  const { files } = await collect({ directory: makeTree(tree), target: "/", ...more });
  return files.map(({ path }) => path);
}

async function warningsOf(tree: Tree, more: Partial<CollectOptions> = {}): Promise<readonly string[]> {
  const { warnings } = await collect({ directory: makeTree(tree), target: "/", ...more });
  return warnings.map(({ message, hint }) => `${message} | ${hint}`);
}

describe("ignore files", () => {
  it(".containerignore is read if there is no .lambdaignore, and before .dockerignore", async () => {
    const tree = { a: "", b: "", c: "", ".containerignore": "a", ".dockerignore": "b" };
    assert.deepEqual(await pathsOf(tree), ["b", "c"]);
    assert.deepEqual(await pathsOf({ ...tree, ".lambdaignore": "c" }), ["a", "b"]);
  });

  for (const [what, bytes] of [
    ["UTF-16", Buffer.from("\ufeffnode_modules\n", "utf16le")],
    ["UTF-16 without a byte order mark", Buffer.from("node_modules\n", "utf16le")],
    ["Latin-1", Buffer.from("caf\u00e9\n", "latin1")],
  ] as const) {
    it(`an ignore file in ${what} is an error that names it`, () =>
      assert.rejects(
        pathsOf({ a: "", ".dockerignore": bytes }),
        failsWith("FILE_UNREADABLE", /\.dockerignore is not UTF-8 text/),
      ));
  }

  it("an ignore file that is a link to nothing is an error that names both", () =>
    assert.rejects(
      pathsOf({ a: "", ".lambdaignore": { link: "shared/ignore" }, ".dockerignore": "a" }),
      failsWith("FILE_UNREADABLE", /\.lambdaignore is a link to shared\/ignore, which does not exist/),
    ));

  it("the notes of package managers about an installation are never packed", async () => {
    const tree = {
      "node_modules/.modules.yaml": "prunedAt: now",
      "node_modules/.pnpm-workspace-state-v1.json": "{}",
      "node_modules/.yarn-integrity": "",
      "node_modules/.yarn-state.yml": "",
      "node_modules/.package-lock.json": "{}",
      "node_modules/a/index.js": "",
      "six-1.0.dist-info/uv_cache.json": "{}",
      "six-1.0.dist-info/METADATA": "",
    };
    assert.deepEqual(await pathsOf(tree), [
      "node_modules/.package-lock.json",
      "node_modules/a/index.js",
      "six-1.0.dist-info/METADATA",
    ]);
  });
});

describe("dependencies that an ignore file leaves out", () => {
  const APP = {
    "index.js": "",
    "package.json": '{ "dependencies": { "express": "5" } }',
    "node_modules/express/index.js": "",
  };

  it("dependencies that an ignore file leaves out are told with the line of .dockerignore and what to write", async () => {
    assert.deepEqual(await warningsOf({ ...APP, ".dockerignore": "Dockerfile\nnode_modules/\n" }), [
      ".dockerignore line 2 (node_modules) leaves node_modules out of the image, and package.json names dependencies" +
        " | write a .lambdaignore without that line; it is read instead of .dockerignore",
    ]);
  });

  for (const [what, tree, more] of [
    ["a .lambdaignore says so", { ".lambdaignore": "node_modules" }, {}],
    ["--exclude says so", { ".dockerignore": "x" }, { exclude: ["node_modules"] }],
    ["package.json names none", { ".dockerignore": "node_modules", "package.json": "{}" }, {}],
    ["package.json is not JSON", { ".dockerignore": "node_modules", "package.json": "?" }, {}],
  ] as const) {
    it(`dependencies that an ignore file leaves out are not told when ${what}`, async () =>
      assert.deepEqual(await warningsOf({ ...APP, ...tree }, more), []));
  }
});

describe("what a line of .dockerignore takes from the function", () => {
  for (const [what, line, tree, says] of [
    [
      "Python's packages in a directory of their own",
      "python",
      { "app.py": "", "python/six.py": "", "python/six-1.17.dist-info/RECORD": "" },
      /leaves python out of the image, and Python packages are installed there/,
    ],
    [
      "Python's packages beside the handler, in one message",
      "*.dist-info",
      { "app.py": "", "six-1.17.dist-info/RECORD": "", "a-1.dist-info/RECORD": "" },
      /leaves a-1\.dist-info and 1 more out of the image/,
    ],
    [
      "a directory site-packages",
      "**/site-packages",
      { "app.py": "", "lib/python3.12/site-packages/six.py": "" },
      /leaves lib\/python3\.12\/site-packages out/,
    ],
    [
      "packages that only a virtual environment has",
      ".venv",
      { "app.py": "import attr", ".venv/pyvenv.cfg": "", ".venv/lib/python3.12/site-packages/attr.py": "" },
      /\.venv is left out, since Lambda does not look .* only it has attr, which app\.py imports/,
    ],
    [
      "gems, by their parent directory",
      "vendor",
      { Gemfile: "", "vendor/bundle/ruby/x": "" },
      /leaves vendor out/,
    ],
    ["jars", "**/*.jar", { "lib/b.jar": "", "lib/a.jar": "", x: "" }, /leaves lib\/a\.jar and 1 more out/],
    [
      "a directory of jars",
      "lib",
      { "lib/a.jar": "", x: "" },
      /leaves lib out .* Java runtime reads jars there/,
    ],
    [
      "what Maven built",
      "target/",
      { "pom.xml": "", "target/app.jar": "" },
      /leaves target out .* pom\.xml is/,
    ],
    ["what Gradle built", "build", { "build.gradle.kts": "", "build/libs/a.jar": "" }, /leaves build out/],
    [
      "what .NET built",
      "**/bin\n**/obj",
      { "App.csproj": "", "bin/x": "", "obj/y": "" },
      /leaves bin out .* App\.csproj/,
    ],
    [
      "a part of published output",
      "obj",
      { "App.runtimeconfig.json": "", "obj/x": "" },
      /leaves obj out .* publish/,
    ],
    [
      "main of package.json",
      "dist",
      { "package.json": '{ "main": "./dist/a.js" }', "dist/a.js": "" },
      /as main$/,
    ],
    [
      "node_modules of a package of a workspace",
      "**/node_modules",
      { "a/package.json": '{ "dependencies": { "b": "1" } }', "a/node_modules/b/x": "" },
      /leaves a\/node_modules out/,
    ],
  ] as const)
    it(`what a line of .dockerignore takes from the function is told: ${what}`, async () => {
      const told = await warningsOf({ ...tree, ".dockerignore": `${line}\n` });
      assert.equal(told.length, 1, told.join("\n"));
      assert.match(told[0]?.split(" | ")[0] ?? "", says);
    });

  it("what a line of .dockerignore takes from the function is told: the directory of the handler", async () => {
    const tree = { "dist/app.js": "", "src/app.ts": "", ".dockerignore": "dist\n" };
    for (const handler of ["dist/app.handler", "./dist/app.handler", "/var/task/dist/app.handler"]) {
      const [told, ...more] = await warningsOf(tree, { inUse: [handler] });
      assert.match(
        told ?? "",
        /leaves dist out of the image, and the function starts with dist\/app\.handler/,
      );
      assert.deepEqual(more, []);
    }
  });

  it("what a line of .dockerignore takes from the function is told where --ignore-file names the file of one Dockerfile", async () => {
    const directory = makeTree({ "lib/a.jar": "", x: "", "app.Dockerfile.dockerignore": "lib\n" });
    const ignoreFile = `${directory}/app.Dockerfile.dockerignore`;
    const { warnings } = await collect({ directory, target: "/", ignoreFile });
    assert.match(warnings[0]?.message ?? "", /app\.Dockerfile\.dockerignore line 1 \(lib\) leaves lib out/);
  });

  for (const [what, tree, more] of [
    ["it is brought back", { ".dockerignore": "lib\n!lib/a.jar" }, {}],
    [".lambdaignore has the line", { ".lambdaignore": "lib" }, {}],
    ["dependencies are installed later on", { ".dockerignore": "python" }, { installs: true }],
    [
      "the directory has nothing of the kind",
      { "bin/x": "", "target/y": "", ".dockerignore": "bin\ntarget" },
      {},
    ],
  ] as const)
    it(`what a line of .dockerignore takes from the function is not told where ${what}`, async () => {
      const app = { "lib/a.jar": "", "python/six.py": "", "python/six-1.dist-info/RECORD": "", x: "" };
      assert.deepEqual(await warningsOf({ ...app, ...tree }, more), []);
    });
});

describe("the time of ignore patterns", () => {
  /** Looks at every directory of a path, as a walk does, and counts the seconds of CPU. */
  function secondsFor(depth: number): number {
    const rules = compileIgnore(
      ["**/a/*.log", "**/*.tmp", "a/b/c", "!**/keep/*.a"].map((text) => ({
        pattern: cleanPattern(text),
        where: "test",
      })),
    );
    const before = process.cpuUsage();
    let verdict = -1;
    for (let length = 1; length <= depth; length++) {
      const path = "a/".repeat(length);
      verdict = rules.judge(path.slice(0, -1), verdict);
      rules.judge(`${path}x.js`);
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  }

  it("patterns are matched against paths 2,000 directories deep in less than 20 s of CPU", () => {
    const seconds = secondsFor(2000);
    assert.ok(seconds < 20, `${seconds} s`);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CollectOptions, collect } from "../../../src/layer/collect.ts";
import { cleanPattern, compileIgnore } from "../../../src/layer/ignore/ignore.ts";
import { failsWith } from "../../support/file-facts.ts";
import { makeTree, type Tree } from "../../support/trees.ts";

async function pathsOf(tree: Tree, more: Partial<CollectOptions> = {}): Promise<readonly string[]> {
  const { files } = await collect({ directory: makeTree(tree), target: "/", ...more });
  return files.map(({ path }) => path);
}

async function warningsOf(tree: Tree, more: Partial<CollectOptions> = {}): Promise<readonly string[]> {
  const { warnings } = await collect({ directory: makeTree(tree), target: "/", ...more });
  return warnings.map(({ message, hint }) => `${message} | ${hint}`);
}

describe("ignore files", () => {
  it(".containerignore is read where there is no .lambdaignore, and before .dockerignore", async () => {
    const tree = { a: "", b: "", c: "", ".containerignore": "a", ".dockerignore": "b" };
    assert.deepEqual(await pathsOf(tree), ["b", "c"]);
    assert.deepEqual(await pathsOf({ ...tree, ".lambdaignore": "c" }), ["a", "b"]);
  });

  for (const [what, bytes] of [
    ["UTF-16", Buffer.from("\ufeffnode_modules\n", "utf16le")],
    ["Latin-1", Buffer.from("caf\u00e9\n", "latin1")],
  ] as const) {
    it(`an ignore file in ${what} is an error that names it`, () =>
      assert.rejects(
        pathsOf({ a: "", ".dockerignore": bytes }),
        failsWith("FILE_UNREADABLE", /\.dockerignore is not UTF-8 text/),
      ));
  }

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

  it("are told with the line of .dockerignore and what to write", async () => {
    assert.deepEqual(await warningsOf({ ...APP, ".dockerignore": "Dockerfile\nnode_modules/\n" }), [
      ".dockerignore line 2 (node_modules) leaves node_modules out of the image, and package.json names dependencies" +
        " | write a .lambdaignore without that line; it is read instead of .dockerignore",
    ]);
  });

  for (const [what, tree, more] of [
    ["a .lambdaignore says so", { ".lambdaignore": "node_modules" }, {}],
    ["--exclude says so", { ".dockerignore": "x" }, { exclude: ["node_modules"] }],
    ["package.json names none", { ".dockerignore": "node_modules", "package.json": "{}" }, {}],
    ["package.json is no JSON", { ".dockerignore": "node_modules", "package.json": "?" }, {}],
  ] as const) {
    it(`are not told when ${what}`, async () =>
      assert.deepEqual(await warningsOf({ ...APP, ...tree }, more), []));
  }
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
